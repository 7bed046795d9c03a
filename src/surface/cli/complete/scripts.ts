/** What a shell is told once: each calls `dispatch __complete` back. */
import bash from "./dispatch.bash" with { type: "text" };
import fish from "./dispatch.fish" with { type: "text" };
import zsh from "./dispatch.zsh" with { type: "text" };

export const scripts = { bash, zsh, fish };
