/**
 * A dispatch of an older version on the other machine, as `command`: it knows other schemas. `bun olddispatch.ts FILE
 * dial-stdio` writes the operations that it answered into FILE.
 */
import { appendFileSync } from "node:fs";
import { dialLine } from "../../src/surface/remote/dialline.ts";

const [asked = "/dev/null"] = process.argv.slice(2);
const version = "0.0.1";
const schemas: Record<string, string> = { "thread.list": "old-list", "message.send": "old-send" };
const say = (frame: unknown) => process.stdout.write(`${JSON.stringify(frame)}\n`);

process.stdout.write(dialLine({ version, schemas }));
let rest = "";
for await (const chunk of Bun.stdin.stream()) {
  const lines = (rest + new TextDecoder().decode(chunk)).split("\n");
  rest = lines.pop() ?? "";
  for (const line of lines) {
    const { id, op, schema, hello } = JSON.parse(line) as Record<string, unknown>;
    if (hello !== undefined) say({ hello: { version, protocol: 1, pid: process.pid } });
    else if (schema !== schemas[String(op)])
      say({ id, error: { code: "stale", message: "they differ", hint: null, retry: "later", data: null } });
    else {
      appendFileSync(asked, `${op}\n`);
      say({ id, result: { threads: [{ ref: "abc123", an_old_field: true }] } });
    }
  }
}
