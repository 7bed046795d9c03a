/** The text with these lines between `<!-- name -->` and `<!-- /name -->`. Throws when it has no such marks. */
export function filled(text: string, name: string, lines: readonly string[]): string {
  const [open, close] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const [from, to] = [text.indexOf(open), text.indexOf(close)];
  if (from < 0 || to < from) throw new Error(`no marks for ${name}`);
  return `${text.slice(0, from + open.length)}\n${lines.join("\n")}\n${text.slice(to)}`;
}
