/** Reads what other machines wrote. Nothing here throws: whatever a machine wrote must not stop what comes after it. */
import * as v from "valibot";
import { refuseUnsendable } from "../../base/jsonobject.ts";
import { limits } from "../../base/limits.ts";
import { type Mail, mailObject, type Report, receiptId, reportObject } from "../../contract/relay.ts";

/** The message; else the id that it is refused under, or null where even that cannot be read. */
export function readMail(body: string): { mail: Mail } | { id: string | null } {
  const value = parsed(body);
  const mail = v.safeParse(mailObject, value);
  if (mail.success && isSendable(mail.output)) return { mail: mail.output };
  const id = v.safeParse(v.object({ id: receiptId }), value);
  return { id: id.success ? id.output.id : null };
}

/** Several come as a list. `isWhole`: each of them could be read. */
export function readReports(body: string): { reports: Report[]; isWhole: boolean } {
  const value = parsed(body);
  const all = Array.isArray(value) ? value.slice(0, limits.relay.letterReportsMax) : [value];
  const reports = all.flatMap((one) => {
    const report = v.safeParse(reportObject, one);
    return report.success && isSendable(report.output) ? [report.output] : [];
  });
  return { reports, isWhole: reports.length === (Array.isArray(value) ? value.length : 1) };
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function isSendable(value: unknown): boolean {
  try {
    refuseUnsendable(value);
    return true;
  } catch {
    return false;
  }
}
