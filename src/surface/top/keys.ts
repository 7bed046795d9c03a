/** The bytes of a terminal as keys. Pure, but for the decoder that keeps the rest of a character. */

export interface Key {
  /** `up`, `enter`, `ctrl-c`; of a character, the character; of a paste, `paste`. */
  name: string;
  /** What it types. */
  text?: string;
}

const sequences: Readonly<Record<string, string>> = {
  "[A": "up",
  "[B": "down",
  "[C": "right",
  "[D": "left",
  "[H": "home",
  "[F": "end",
  OA: "up",
  OB: "down",
  OC: "right",
  OD: "left",
  OH: "home",
  OF: "end",
  "[1~": "home",
  "[7~": "home",
  "[4~": "end",
  "[8~": "end",
  "[3~": "delete",
  "[5~": "pageup",
  "[6~": "pagedown",
  OM: "enter",
};

const controls: Readonly<Record<number, string>> = {
  8: "backspace",
  9: "tab",
  10: "enter",
  13: "enter",
  27: "escape",
  127: "backspace",
};

const pasteStart = "\u001b[200~";
const pasteEnd = "\u001b[201~";

export interface Decoded {
  keys: Key[];
  /** The beginning of a sequence or of a paste, which the next bytes continue. */
  rest: string;
}

/** `isLast`: nothing follows soon, so a lone escape is the key. */
export function keysIn(typed: string, isLast: boolean): Decoded {
  const keys: Key[] = [];
  let at = 0;
  while (at < typed.length) {
    const rest = typed.slice(at);
    if (rest.startsWith(pasteStart)) {
      const end = rest.indexOf(pasteEnd);
      // A paste comes in as many reads as it takes.
      if (end < 0) return { keys, rest };
      const text = rest.slice(pasteStart.length, end).replace(/\r\n?/g, "\n");
      keys.push({ name: "paste", text });
      at += end + pasteEnd.length;
    } else if (rest.startsWith("\u001b")) {
      // Modifiers such as in `ESC [ 1 ; 5 A` do not change what a key means here.
      const sequence = /^\u001b(?:\[[0-?]*[ -/]*[@-~]|O[@-~])/.exec(rest)?.[0];
      if (sequence === undefined) {
        const isBegun = /^\u001b(?:\[[0-?]*[ -/]*|O)?$/.test(rest);
        if (isBegun && !isLast) return { keys, rest };
        // ESC before another key is Alt with it, which means nothing here; alone it is the key.
        keys.push({ name: "escape" });
        at += isBegun ? rest.length : 1;
        continue;
      }
      const plain = sequence
        .slice(1)
        .replace(/^\[(?:1;\d+)([A-Z])$/, "[$1")
        .replace(/;\d+~$/, "~");
      const name = sequences[plain];
      if (name !== undefined) keys.push({ name });
      at += sequence.length;
    } else {
      const code = rest.codePointAt(0)!;
      const char = String.fromCodePoint(code);
      const control = controls[code];
      if (control !== undefined) keys.push({ name: control });
      else if (code < 32) keys.push({ name: `ctrl-${String.fromCharCode(code + 96)}` });
      else keys.push({ name: char, text: char });
      at += char.length;
    }
  }
  return { keys, rest: "" };
}
