/** Foreign text in the page of the report: cleaned as for a terminal, and nothing in it is markup. */
import { cell } from "../base/text.ts";

export function escapeHtml(text: string): string {
  return cell(text).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
