/** Owns an app-server for a test that kills the owner: passes lines on, and tells the pid as a note of its own. */
const child = Bun.spawn(process.argv.slice(2), { stdio: ["pipe", "inherit", "ignore"] });
console.log(JSON.stringify({ method: "owner/pid", params: { pid: child.pid } }));
for await (const chunk of Bun.stdin.stream()) {
  child.stdin.write(chunk);
  child.stdin.flush();
}

export {};
