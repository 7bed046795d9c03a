/** Reads what other machines wrote. */
import * as v from "valibot";
import { jsonObject } from "../../base/jsonobject.ts";
import { type Mail, mailObject, type Report, receiptId, reportObject } from "../../contract/relay.ts";

/** The message; else the id that it is refused under, or null where even that cannot be read. */
export function readMail(body: string): { mail: Mail } | { id: string | null } {
  const value = jsonObject(body);
  const mail = v.safeParse(mailObject, value);
  if (mail.success && mail.output.text.isWellFormed()) return { mail: mail.output };
  const id = v.safeParse(receiptId, value?.["id"]);
  return { id: id.success ? id.output : null };
}

export function readReport(body: string): Report | undefined {
  const report = v.safeParse(reportObject, jsonObject(body));
  return report.success ? report.output : undefined;
}
