// outputs.js - the outputs that the filters leave, newest first, as far as they were asked for; new ones wait until they are wanted.

import { api } from "../../base/api.js";
import { batch, computed, effect, onCleanup, signal, untracked } from "../../base/signal.js";
import { host } from "../../store/host.js";

const PAGE = 60;
const REFRESH_MS = 1000;

export const keyOf = output => `${output.job_id}/${output.n}`;

/** query(): what the API is asked for; isAtTop(): may new ones come in at once? */
export function openOutputs(query, isAtTop, abort) {
  const items = signal(null), next = signal(null), problem = signal(null), busy = signal(false);
  const stale = signal(true); // what is shown is not yet what the filters ask for
  const until = signal(null); // only what is older is shown: an output far back was opened by its address
  const fresh = signal(null); // the newest page, with outputs that are not shown yet
  const asked = computed(() => JSON.stringify({ ...query(), until: until.value }));
  let turn = 0, timer = 0;

  const read = cursor => api.get("api/artifacts", { query: { ...JSON.parse(asked.peek()), limit: PAGE, cursor }, signal: abort });

  /** Reads, and takes what came unless the filters have changed meanwhile. */
  async function load(cursor, take) {
    const mine = turn;
    try {
      const page = await read(cursor);
      if (mine === turn) batch(() => {
        problem.value = null;
        take(page);
      });
    } catch (error) {
      if (mine === turn && !abort.aborted) batch(() => {
        problem.value = error;
        stale.value = false;
      });
    }
  }

  async function older() {
    if (busy.peek() || !next.peek()) return;
    busy.value = true;
    await load(next.peek(), page => {
      items.value = [...items.peek(), ...page.artifacts];
      next.value = page.next;
    });
    busy.value = false;
  }

  const put = page => batch(() => {
    items.value = page.artifacts;
    next.value = page.next;
    fresh.value = null;
    stale.value = false;
  });

  /** The newest page in its place; what is older stays if nothing is missing between them. */
  function merge(page) {
    const keys = new Set(page.artifacts.map(keyOf)), old = items.peek().filter(output => !keys.has(keyOf(output)));
    if (old.length === items.peek().length && page.next) {
      turn++; // what is under way would come after a gap
      return put(page);
    }
    batch(() => {
      items.value = [...page.artifacts, ...old];
      fresh.value = null;
    });
  }

  const waiting = computed(() => {
    const shown = new Set(items.value?.map(keyOf));
    return fresh.value ? fresh.value.artifacts.filter(output => !shown.has(keyOf(output))).length : 0;
  });

  function refresh() {
    timer = 0;
    if (until.peek() === null) load(null, page => {
      fresh.value = page;
      if (items.peek() === null) put(page);
      else if (isAtTop()) merge(page);
    });
  }

  const changed = () => timer ||= setTimeout(refresh, REFRESH_MS);

  effect(() => {
    asked.value;
    turn++;
    stale.value = true;
    untracked(() => host.opened.then(() => load(null, put)));
  });
  host.on(events => events.some(({ data }) => data?.dry_run === false && data.status === "done") && changed());
  host.resync(changed);
  onCleanup(() => clearTimeout(timer));

  return {
    items, next, problem, busy, stale, waiting, until,
    older, reload: () => load(null, put), showNew: () => merge(fresh.peek()),
  };
}
