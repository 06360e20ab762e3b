-- studio.lua - Studio's part of `make bench`: how soon it shows 100,000 jobs, how it scrolls, what a busy stream costs the
-- page, and an idle page the host.
--
--   BENCH_STUDIO_SECONDS=20   of the busy stream
local Host = require "spec.support.host"
local many_jobs = require "spec.support.many_jobs"
local measure = require "spec.bench.measure"
local report = require "spec.bench.report"
local socket = require "socket"
local studio = require "spec.support.studio"
local webdriver = require "spec.support.webdriver"

local SECONDS = tonumber(os.getenv("BENCH_STUDIO_SECONDS") or 20)
local ROWS, LOADS, IDLE_SECONDS = 100000, 7, 10
local SUBMITS_PER_SECOND = 500 -- two events each
local SUBMIT = "/api/providers/image/fal/submit"

local bench = {}

-- Notes, from the start of every document, when the first row of a job stands in it.
local WATCH_ROWS = [[
new MutationObserver((_, watcher) => {
  if (document.querySelectorAll("main [role=row]").length < 3) return;
  watcher.disconnect();
  requestAnimationFrame(() => window.rowsAt ??= performance.now());
}).observe(document, { childList: true, subtree: true });]]

-- Scrolls through the list, a step a frame; the time of every frame in ms.
local SCROLL = [[
const scrolls = node => node.scrollHeight > node.clientHeight + 1 && /auto|scroll/.test(getComputedStyle(node).overflowY);
let box = document.querySelector("main [role=grid]");
while (box && !scrolls(box)) box = box.parentElement;
box ??= document.scrollingElement;
const frames = [];
let before = await new Promise(requestAnimationFrame);
for (let i = 0; i < 180; i++) {
  box.scrollBy(0, 400);
  const now = await new Promise(requestAnimationFrame);
  frames.push(now - before);
  before = now;
}
return frames;]]

-- How old an event is when the page draws it, in ms.
local WATCH_AGES = [[
const { host } = await import(new URL("ui/store/host.js", location.href));
const { root } = await import(new URL("ui/base/signal.js", location.href));
window.ages = [];
root(() => host.on(events => {
  for (const { data } of events) if (data?.updated_at) window.ages.push(Date.now() - Date.parse(data.updated_at));
}));]]

local function heap_mb(page)
  page:cdp "HeapProfiler.collectGarbage"
  return page:metrics().JSHeapUsedSize / 1e6
end

local function open_jobs(page)
  page:cdp "Network.clearBrowserCache"
  page:open "about:blank"
  page:open(page.base .. "#/jobs?dry=1")
  return page:wait("window.rowsAt", "rows")
end

local function bench_load(page)
  page:cdp("Page.addScriptToEvaluateOnNewDocument", { source = WATCH_ROWS })
  local times = {}
  for i = 1, LOADS do times[i] = open_jobs(page) end
  report.line(("rows of %d jobs on screen, cold (median of %d)"):format(ROWS, LOADS), "%.0f ms", measure.median(times), 500)
  report.line("heap", "%.1f MB", heap_mb(page), 100)
end

local function bench_scroll(page)
  local frames = page:await(SCROLL)
  local sum = 0
  for _, frame in ipairs(frames) do sum = sum + frame end
  report.line("scrolling, mean frame", "%.1f ms", sum / #frames)
  report.line("scrolling, worst frame", "%.0f ms", measure.percentile(frames, 1), 50)
end

local function submit_steadily(host, seconds)
  local client, began, sent = host:connect(), socket.gettime(), 0
  while socket.gettime() < began + seconds do
    while sent < (socket.gettime() - began) * SUBMITS_PER_SECOND do
      client:request("POST", SUBMIT, '{"prompt":"a lighthouse at dusk"}')
      sent = sent + 1
      if sent % 900 == 0 then client:close() client = host:connect() end
    end
    socket.sleep(0.01)
  end
  client:close()
  return sent / (socket.gettime() - began)
end

local function bench_stream(page)
  page:await(WATCH_AGES)
  local heap, before, began = heap_mb(page), page:metrics().TaskDuration, socket.gettime()
  local rate = submit_steadily(page.host, SECONDS)
  socket.sleep(0.5)
  local busy = (page:metrics().TaskDuration - before) / (socket.gettime() - began)
  local ages = page:execute "return window.ages"
  report.line(("a busy stream (%.0f events/s for %d s), main thread"):format(#ages / SECONDS, SECONDS), "%.0f %%", busy * 100, 35)
  report.line(("a busy stream, age of an event when drawn, p99 (%.0f submits/s)"):format(rate), "%.0f ms",
    measure.percentile(ages, 0.99), 250)
  page:execute "window.ages = []"
  report.line("a busy stream, growth of the heap", "%.1f MB", heap_mb(page) - heap, 20)
end

local function bench_idle(page)
  socket.sleep(2)
  local before = measure.processor_seconds(page.host.pid)
  socket.sleep(IDLE_SECONDS)
  local share = (measure.processor_seconds(page.host.pid) - before) / IDLE_SECONDS
  report.line("the host's processor with an idle page open", "%.2f %%", share * 100, 1)
end

local function open_page()
  local host = Host.start {}
  host:stop()
  many_jobs.fill(host, ROWS, function(i) return { prompt = "a lighthouse, number " .. i } end)
  host:start_again()
  return studio.at(("http://127.0.0.1:%d/"):format(host.port), host)
end

--- Measures. Without a browser it says so.
function bench.page()
  local missing = webdriver.missing()
  if missing then return report.say("%s", missing) end
  local page = open_page()
  bench_load(page)
  bench_scroll(page)
  open_jobs(page)
  bench_idle(page)
  bench_stream(page)
  page:remove()
  page:quit()
end

return bench
