/** The parts of shapes. Field names are the contract; times are ISO-8601 UTC. */
import * as v from "valibot";

export const time = v.string();

export const orNull = <S extends v.GenericSchema>(schema: S) => v.nullable(schema);
