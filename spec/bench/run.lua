-- run.lua - `make bench`: what the host costs, in parts. Ratios tell something on any machine, the rest only beside other
-- figures of the same run. Homes are temporary, everything is off.
--
--   BENCH_SECONDS=2 BENCH_ROUNDS=3   length of one turn of load, turns of each
--   BENCH_NICE=-15                   the part "speed" goes before what others do on the machine (root only)
--   BENCH_QUIET=0.3                  there, turns in which others used more of the processors are taken again, some times
--   BENCH=speed                      only the parts of these names, in PARTS below

package.path = "./?.lua;" .. package.path
local live = require "spec.bench.live"
local measure = require "spec.bench.measure"
local registry = require "spec.bench.registry"
local report = require "spec.bench.report"
local shell = require "spec.support.shell"

local PROGRAM = os.getenv("PROVIDERD") or "build/providerd"

local PARTS = {
  { "speed", "a request, beside a bare civetweb handler and peers", require("spec.bench.speed").all },
  { "start", "start and reload", registry.start },
  { "registry", "a registry with many rows", registry.full },
  { "doors", "doors: a dry run by each", require("spec.bench.doors").cost },
  { "events", "events, with many who follow", require("spec.bench.events").subscribers },
  { "live", "live, with the simulator as the vendor", function()
    live.submit_cost()
    live.in_flight()
  end },
  { "hosts", "several hosts on one PostgreSQL", require("spec.bench.postgres").hosts },
  { "migration", "a registry that moves", require("spec.bench.migration").move },
  { "studio", "studio, in a browser", require("spec.bench.studio").page },
}

local function is_wanted(name)
  local wanted = os.getenv("BENCH") or ""
  return wanted == "" or (" " .. wanted:gsub(",", " ") .. " "):find(" " .. name .. " ", 1, true) ~= nil
end

measure.prefer "self"
local version = shell.output(PROGRAM .. " --version"):match("^[^\n]*")
report.say("%s; %s processors; load %s", version, shell.output("nproc"):match("%d+"), shell.read("/proc/loadavg"):match("%S+"))
for _, part in ipairs(PARTS) do
  if is_wanted(part[1]) then
    report.say("\n%s", part[2])
    part[3]()
  end
end
