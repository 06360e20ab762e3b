-- Writes many rows into the registry of a host that does not run: what a host has after years, in a second.
--
--   many_jobs.fill(host, 100000, function(i)      -- i = 1 is the oldest
--     return { provider = "luma", kind = "video", status = "error", live = true, prompt = "number " .. i }
--   end)
--
-- A row is a dry run of fal that is done unless it says otherwise: kind, provider, status, live, prompt, model, payload (JSON),
-- estimate, vendor_id, request_id, caller, result (JSON), created_ms, took_ms, spent (micro-dollars). Returns the ids, by number.
local exact = require "spec.support.exact_json"
local registry = require "spec.support.registry"
local socket = require "socket"

local many_jobs = {}

local STATUSES = { queued = 0, running = 1, done = 2, error = 3, canceled = 4, unknown = 5 }
local PHASES = { queued = 0, running = 2, unknown = 3 }
local STEP_MS = 10 -- between two rows
local ROWS_AT_ONCE = 400

local function text(value)
  return value and "'" .. tostring(value):gsub("'", "''") .. "'" or "NULL"
end

-- A UUIDv7 and the number of its row.
local function id_at(ms, i)
  local hex = ("%012x7%03x8%03x%012x"):format(ms, i % 4096, i // 4096 % 4096, i)
  return hex, ms << 12 | i % 4096
end

-- The numbers of kinds and providers; what is new gets a row.
local function sources_of(host)
  local sources = { count = 0, sql = {} }
  for number, name in registry.sql(host, "SELECT number, kind || ' ' || provider FROM source"):gmatch("(%d+)|([^\n]+)") do
    sources[name] = number
    sources.count = math.max(sources.count, tonumber(number))
  end
  return sources
end

local function source_of(sources, row)
  local name = row.kind .. " " .. row.provider
  if not sources[name] then
    sources.count = sources.count + 1
    sources[name] = sources.count
    sources.sql[#sources.sql + 1] = ("INSERT INTO source VALUES (%d, '%s', '%s');"):format(sources.count, row.kind, row.provider)
  end
  return sources[name]
end

local function payload_of(row)
  return row.payload or exact.encode {
    mode = "flux", parameters = { guidance_scale = 7.5, resolution = "1024x1024", steps = 30 }, prompt = row.prompt,
    defaulted = exact.array { "guidance_scale", "resolution", "steps" },
  }
end

-- Rows of one table, some hundred in one statement: a server is asked as seldom as that.
local function add(rows, name, columns, format, ...)
  local own = rows[name] or { head = ("INSERT INTO %s (%s) VALUES "):format(name, columns), values = {} }
  rows[name] = own
  own.values[#own.values + 1] = ("(" .. format .. ")"):format(...)
end

local function statements(rows, name)
  local own, lines = rows[name] or { values = {} }, {}
  for first = 1, #own.values, ROWS_AT_ONCE do
    local last = math.min(first + ROWS_AT_ONCE - 1, #own.values)
    lines[#lines + 1] = own.head .. table.concat(own.values, ",\n", first, last) .. ";"
  end
  return table.concat(lines, "\n") .. "\n"
end

local function add_live(rows, row, number, source)
  local phase = PHASES[row.status] or 4
  add(rows, "live", "sequence, phase, attempts, submitted_ms, deadline_ms, stop_ms, cancel_asked, caller",
    "%d, %d, 1, %d, %d, 0, 0, %s", number, phase, phase > 0 and row.created_ms or 0, row.created_ms + 3600000, text(row.caller))
  add(rows, "ledger", "sequence, day, source, reserved, expected, spent, basis, caller", "%d, %d, %s, 6000, 3000, %d, %s, %s",
    number, row.created_ms // 86400000, source, phase == 4 and (row.spent or 3000) or -1, phase == 4 and "'vendor'" or "NULL",
    text(row.caller))
end

local function add_task(rows, row, id, number, source)
  add(rows, "task", "sequence, status, source, dry_run, progress, created_ms, updated_ms, id, vendor_id, request_id, payload, "
    .. "estimates, result, caller", "%d, %d, %s, %d, %s, %d, %d, %s, %s, %s, %s, %s, %s, %s",
    number, STATUSES[row.status], source, row.live and 0 or 1, row.status == "done" and "1.0" or "0.0", row.created_ms,
    row.created_ms + (row.took_ms or 0), id, text(row.vendor_id or (not row.live and "mock-" .. row.provider .. "-1")),
    text(row.request_id), text(payload_of(row)),
    text(('{"estimated_cost_usd":%s,"model":"%s"}'):format(row.estimate or 0.003, row.model or "fal-ai/flux/schnell")),
    text(row.result), text(row.caller))
end

local function write_row(rows, sources, given, i, base_ms, host)
  local row = { kind = "image", provider = "fal", status = "done", prompt = "a lighthouse at night, number " .. i }
  for name, value in pairs(given or {}) do row[name] = value end
  row.created_ms = row.created_ms or base_ms + i * STEP_MS
  local hex, number = id_at(row.created_ms, i)
  local source = source_of(sources, row)
  add_task(rows, row, registry.bytes(host, hex), number, source)
  if row.live then add_live(rows, row, number, source) end
  return ("%s-%s-%s-%s-%s"):format(hex:sub(1, 8), hex:sub(9, 12), hex:sub(13, 16), hex:sub(17, 20), hex:sub(21))
end

function many_jobs.fill(host, count, make)
  local base_ms = math.floor(socket.gettime() * 1000) - count * STEP_MS - 60000
  local rows, sources, ids = {}, sources_of(host), {}
  for i = 1, count do ids[i] = write_row(rows, sources, make and make(i), i, base_ms, host) end
  local path = host.home .. "/rows.sql"
  local file = assert(io.open(path, "wb"))
  file:write("BEGIN;\n", table.concat(sources.sql, "\n"), "\n")
  for _, name in ipairs { "task", "live", "ledger" } do file:write(statements(rows, name)) end
  file:write("UPDATE artifact_filled SET sequence = (SELECT coalesce(max(sequence) + 1, 0) FROM live);\n")
  file:write("DELETE FROM budget; INSERT INTO budget SELECT span, begins, account, reserved, spent FROM ledger_sum;\n")
  if not host.database then -- a server has an index of its own in their place
    file:write("DELETE FROM task_index; INSERT INTO task_index SELECT status, source, sequence FROM task;\n")
    file:write("UPDATE task_indexed SET sequence = (SELECT max(sequence) FROM task);\n")
  end
  file:write("COMMIT;\n")
  file:close()
  registry.run(host, path)
  assert(os.remove(path))
  return ids
end

return many_jobs
