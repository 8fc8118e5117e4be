import type { Clock, Sql } from "../ports.ts";
import { balance, isSettled, openHolds, sumOfRequest, writeMovements } from "./creditJournal.ts";
import type { CreditMovement, CreditRequest } from "./creditJournal.ts";

/** A key's credit in micro-dollars. */
export interface CreditStanding {
  /** What was granted less what ended requests cost; may be negative. */
  readonly balanceMicros: number;
  /** Of that, what is held for requests that run here. */
  readonly heldMicros: number;
}

/**
 * The credit of all keys in memory, for the way of every request; what happens to it is written to the journal a little later.
 *
 * A hold needs a positive balance and takes no more than what is not held. Only where nothing is held at all may it take more than there is,
 * because the rest of a credit could never be spent otherwise. So, of the requests that run at a time, the balance
 * can fall below zero by no more than what each of them costs above what was held for it, plus, where a single one was let through with
 * less than its estimate, what was missing. Requests that an earlier process on the same ledger is still finishing come on top.
 *
 * Always: what is in memory is what the journal will say once `write` is committed; after that the entries of each request add up to
 * what it cost, or to its hold while it runs. A hold that was settled or released before it was written is never written. A process that
 * ends without `write` loses holds, which need no release, and settlements, which are made again from the rows in the spool.
 */
export interface Purse {
  /** Sets money aside for a request, an estimate of what it may cost at most. `insufficient` changes nothing. */
  hold(request: CreditRequest, micros: number): "held" | "insufficient";
  /**
   * Says what a request has cost in all, whether something was held for it or not; said again with another cost, it corrects the first.
   * To be called with whatever row of a key with credit is recorded, so that rows and journal agree after a crash.
   */
  settle(request: CreditRequest, micros: number): void;
  /** Gives back what is held for a request that costs nothing; does nothing where nothing is. */
  release(requestId: string): void;
  /** Whether something is held for a request. */
  isHeld(requestId: string): boolean;
  standing(keyId: string): CreditStanding;
  /** Whether something waits to be written. */
  readonly isWaiting: boolean;
  /** Writes what waits; to be called in the transaction that commits the requests' rows. Throws what the database throws. */
  write(sql: Sql): void;
  /** To be called when the transaction with the last `write` is committed; where it was rolled back, `write` is simply called again. */
  committed(): void;
  /** Takes over what others have written: a grant, the end of an earlier process. */
  refresh(): void;
}

/** What one request's entries add up to in the journal, and what they shall. */
interface Spending {
  movement: CreditMovement;
  written: number;
}

interface Account {
  /** The journal's sum. */
  stored: number;
  /** By how much it will differ once what waits is written. */
  waiting: number;
  held: number;
  holds: number;
}

/** A purse over a database that `migrate` has been run on; what is held in it is held on. All amounts are whole; anything else throws a `RangeError`. */
export function createPurse(sql: Sql, clock: Pick<Clock, "now">): Purse {
  const accounts = new Map<string, Account>();
  /** Requests with a hold, and those whose end is not written yet. */
  const spendings = new Map<string, Spending>();
  const unwritten = new Set<Spending>();
  let inTransaction:
    | { readonly movements: readonly CreditMovement[]; readonly balances: Map<string, number> }
    | undefined;

  function accountOf(keyId: string): Account {
    let account = accounts.get(keyId);
    if (account === undefined) {
      account = { stored: balance(sql, keyId), waiting: 0, held: 0, holds: 0 };
      accounts.set(keyId, account);
    }
    return account;
  }

  /** Adds to an account what a request will do to it, or takes that off with a factor of -1. */
  function weigh(account: Account, { movement, written }: Spending, factor: 1 | -1): void {
    account.waiting += factor * (targetOf(movement) - written);
    if (movement.kind !== "hold") return;
    account.held += factor * movement.micros;
    account.holds += factor;
  }

  function move(kind: CreditMovement["kind"], request: CreditRequest, micros: number): void {
    const account = accountOf(request.keyId);
    const movement = { request, kind, micros, at: clock.now() };
    let spending = spendings.get(request.requestId);
    if (spending === undefined) {
      // Only a request that was not held here can be in the journal already.
      spending = { movement, written: kind === "hold" ? 0 : sumOfRequest(sql, request) };
      spendings.set(request.requestId, spending);
    } else {
      weigh(account, spending, -1);
      spending.movement = movement;
    }
    weigh(account, spending, 1);
    unwritten.add(spending);
  }

  function committed(): void {
    if (inTransaction === undefined) return;
    const { movements, balances } = inTransaction;
    inTransaction = undefined;
    for (const [keyId, sum] of balances) accountOf(keyId).stored = sum;
    for (const movement of movements) {
      const spending = spendings.get(movement.request.requestId);
      if (spending === undefined) continue;
      const account = accountOf(movement.request.keyId);
      weigh(account, spending, -1);
      spending.written = targetOf(movement);
      weigh(account, spending, 1);
      if (spending.movement !== movement) continue;
      unwritten.delete(spending);
      if (movement.kind !== "hold") spendings.delete(movement.request.requestId);
    }
  }

  for (const movement of openHolds(sql)) {
    const spending = { movement, written: targetOf(movement) };
    spendings.set(movement.request.requestId, spending);
    weigh(accountOf(movement.request.keyId), spending, 1);
  }

  return {
    hold(request, micros) {
      checkAmount(micros);
      const account = accountOf(request.keyId);
      const free = account.stored + account.waiting;
      const isEnough = micros <= free || account.holds === 0;
      if (free + account.held <= 0 || !isEnough) return "insufficient";
      move("hold", request, micros);
      return "held";
    },
    settle(request, micros) {
      checkAmount(micros);
      move("settle", request, micros);
    },
    release(requestId) {
      const spending = spendings.get(requestId);
      if (spending?.movement.kind === "hold") move("release", spending.movement.request, 0);
    },
    isHeld: (requestId) => spendings.get(requestId)?.movement.kind === "hold",
    standing(keyId) {
      const { stored, waiting, held } = accountOf(keyId);
      return { balanceMicros: stored + waiting + held, heldMicros: held };
    },
    get isWaiting() {
      return unwritten.size > 0;
    },
    write(target) {
      inTransaction = undefined;
      const movements = [...unwritten].map(({ movement }) => movement);
      inTransaction = { movements, balances: writeMovements(target, movements) };
    },
    committed,
    refresh() {
      for (const [keyId, account] of accounts) account.stored = balance(sql, keyId);
      for (const spending of spendings.values()) {
        const { request, kind } = spending.movement;
        const account = accountOf(request.keyId);
        weigh(account, spending, -1);
        if (kind === "hold" && isSettled(sql, request)) {
          // Another process was told what a response in the background has used.
          spendings.delete(request.requestId);
          unwritten.delete(spending);
          continue;
        }
        spending.written = sumOfRequest(sql, request);
        weigh(account, spending, 1);
        // A hold that a successor took for an orphan's is held again; of nothing, its sum does not tell.
        const target = targetOf(spending.movement);
        if (spending.written !== target || (kind === "hold" && target === 0)) unwritten.add(spending);
      }
    },
  };
}

function targetOf({ kind, micros }: CreditMovement): number {
  return kind === "release" ? 0 : 0 - micros;
}

function checkAmount(micros: number): void {
  if (!Number.isSafeInteger(micros) || micros < 0) throw new RangeError("Credit is moved in whole micro-dollars.");
}
