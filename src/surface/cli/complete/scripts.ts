/** The completion scripts of the shells. Each calls `dispatch __complete`. */
import bash from "./dispatch.bash" with { type: "text" };
import fish from "./dispatch.fish" with { type: "text" };
import zsh from "./dispatch.zsh" with { type: "text" };

export const scripts = { bash, zsh, fish };
