/** Limits of what sets dispatch up in other programs: a part of `limits`. */
const second = 1000;
const MiB = 1024 * 1024;

export const setupLimits = {
  plugin: {
    /** A host lists its plugins in half a second (measured). */
    listTimeoutMs: 20 * second,
    /** How long a host may take to install or remove a plugin: it copies some KB. */
    changeTimeoutMs: 60 * second,
    /** Bytes that are read of such a command's output: a list of many plugins has some 100 KB. */
    outputBytesMax: MiB,
    /** Characters of what a host says when it refuses. */
    refusalCharsMax: 400,
  },

  service: {
    /** systemctl and launchctl answer in some ms; a start waits for the new process. */
    commandTimeoutMs: 30 * second,
    /** Bytes that are read of such a command's output: launchctl prints its whole domain. */
    outputBytesMax: MiB,
    /** Characters of what it says when it refuses. */
    refusalCharsMax: 400,
  },
} as const;
