/**
 * The Relay port: store and forward between machines. The server gives each message at least once; whoever takes it
 * drops what came before. `relay/` implements it on NATS JetStream.
 */
import type { RowKey } from "../../../base/cursor.ts";
import type { ArrivalState, MessageState, Outcome, RelayState } from "../../../contract/words.ts";
import type { MessageError, MessageId, Ref } from "./rows.ts";

export interface PoolSettings {
  /** Of the thread that each message gets. */
  presets: readonly string[];
  cwd: string | null;
  /** Messages of the pool that this machine works on at a time. */
  atOnce: number;
}

export interface RelaySettings {
  /** `tls://host:port`, one for each server of the cluster. */
  servers: readonly string[];
  /** Paths of files. null: no credentials; the system's own certificate authorities. */
  creds: string | null;
  ca: string | null;
  /** The name of this machine. */
  name: string;
  /** Copies of each stream that this machine makes. */
  replicas: number;
  /** Kinds of events that the machine is told of that sent the message. */
  publish: readonly string[];
  pools: Readonly<Record<string, PoolSettings>>;
}

/** `origin`: the sending machine, as the server vouches for it. */
export interface Arriving {
  origin: string;
  body: string;
  /** How often it was given, this time included. */
  tries: number;
}

/** What becomes of it: the server may forget it, or is to give it again after this time. */
export type Verdict = "done" | { againMs: number };

/** What takes the messages of the relay. No method throws. */
export interface RelayDesk {
  /**
   * Messages in the order of the stream. How many of the first ones the server may forget; those after them are to come
   * again, in the same order, before any other.
   */
  mail(arriving: readonly Arriving[]): number;
  /** A message of a pool. */
  pooled(pool: string, arriving: Arriving): Promise<Verdict>;
  /** Whether this machine works on fewer messages of the pool than it may. */
  mayTake(pool: string): boolean;
  /** What other machines report of messages from here; the answer is that of `mail`. */
  reports(arriving: readonly Arriving[]): number;
  /** Connected, after it was not. */
  up(): void;
}

export interface RelayStatus {
  state: RelayState;
  /** Why it is down. */
  error: { code: string; message: string; hint: string | null } | null;
  /** Messages for this machine that the stream has and this machine does not, as the server last said. */
  waiting: number | null;
}

export type Destination = { box: string } | { pool: string };

/** Each method waits for the connection for a while, and throws `host_down`, `denied`, `usage` when there is none. */
export interface RelayLink {
  status(): RelayStatus;
  /**
   * Resolves when the stream has stored it. Throws `not_found` (no such machine or pool), `too_large`, `overloaded` (the
   * stream is full): nothing is stored. Throws `unsure` when the answer was lost. The same id again is safe.
   */
  send(to: Destination, id: string, body: string): Promise<void>;
  /** To the machine that sent messages. Throws as `send`. */
  report(box: string, id: string, body: string): Promise<void>;
  /** Returns the machine that takes this message of a pool: this one, if it is the first to ask. */
  claim(id: string): Promise<string>;
  /** This machine may have room for messages of its pools again. */
  roomMade(): void;
  close(): Promise<void>;
}

export interface RelayPort {
  /** `home`: the identity of this registry, so that two homes do not use one name. Connects in the background. */
  open(settings: RelaySettings, home: string, desk: RelayDesk): Promise<RelayLink>;
}

/** A message for another machine, as that machine reports it. */
export interface Relayed {
  id: MessageId;
  target: string;
  box: string | null;
  thread: string | null;
  state: MessageState;
  outcome: Outcome | null;
  turn_id: string | null;
  joined: boolean;
  attempt: number;
  waits: string | null;
  error: MessageError | null;
  asks: readonly { id: string; summary: string }[];
  answer: string | null;
  seen: number;
  key: string | null;
  digest: string | null;
  caller: string | null;
  created_at: number;
  updated_at: number;
}

/** A message from another machine. */
export interface Arrived {
  id: MessageId;
  origin: string;
  pool: string | null;
  state: ArrivalState;
  body: string | null;
  lane: Ref | null;
  error: MessageError | null;
  created_at: number;
}

export interface RelayStore {
  addRelayed(row: Relayed): void;
  findRelayed(id: string): Relayed | undefined;
  findRelayedByKey(key: string): Relayed | undefined;
  setRelayed(id: string, change: Partial<Omit<Relayed, "id" | "created_at">>): void;
  /** Newest first. */
  listRelayed(filter: { states?: readonly MessageState[]; after?: RowKey | null; limit: number }): Relayed[];
  /** How many this caller sent there since then. */
  countRelayed(target: string, caller: string, since: number): number;
  addArrived(row: Arrived): void;
  findArrived(id: string): Arrived | undefined;
  setArrived(id: string, change: Partial<Omit<Arrived, "id" | "created_at">>): void;
  removeArrived(id: string): void;
  /** Of pools, in these states, the oldest first. */
  listArrived(states: readonly ("claiming" | "won")[], limit: number): Arrived[];
  /** Messages of a pool that this machine works on. */
  countOpen(pool: string): number;
  cursor(): number | null;
  setCursor(seq: number): void;
  /** Deletes rows of ended messages older than that, at most `limit` of each kind. Returns how many. */
  prune(before: number, limit: number): number;
}
