import * as v from "valibot";
import { arg } from "../fields.ts";
import { clientOp } from "../op.ts";

const shells = ["bash", "zsh", "fish"] as const;

export default clientOp({
  name: "daemon.completion",
  cli: "completion",
  group: "daemon",
  task: "maintain",
  summary: "Print the completion script of a shell",
  about: `bash  source <(dispatch completion bash)    in ~/.bashrc
zsh   source <(dispatch completion zsh)     in ~/.zshrc, after compinit
fish  dispatch completion fish | source     in ~/.config/fish/config.fish
It completes commands, flags, the values of flags, and presets. While a daemon runs it also completes threads, questions, receipts and models.`,
  at: "client",
  intent: "read",
  repeat: "safe",
  plain: true,
  input: v.strictObject({ shell: arg(v.picklist(shells), "which shell") }),
  output: v.object({ shell: v.picklist(shells), script: v.string() }),
  examples: [],
  run: async ({ shell }, ctx) => ({ shell, script: await ctx.completion(shell) }),
  view: ({ script }) => script,
});
