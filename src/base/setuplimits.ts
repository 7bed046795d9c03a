/** Limits of configuration files, and of what sets dispatch up in other programs: a part of `limits`. */
const second = 1000;
const KiB = 1024;
const MiB = 1024 * KiB;

export const setupLimits = {
  config: {
    /** The user's own configuration, written by hand. The runtime's parser is quadratic: 50 ms for so much (measured). */
    bytesMax: 64 * KiB,
    /** A repository's configuration is somebody else's text: 6 ms at the most, while all else waits. */
    repositoryBytesMax: 16 * KiB,
    /** Lines of one statement that are read to find the line of a TOML error. */
    statementLinesMax: 50,
  },

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
