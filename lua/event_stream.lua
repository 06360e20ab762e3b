-- event_stream.lua - reads a server-sent event stream (text/event-stream) that has arrived whole.
--
-- Lines are cut with plain searches: the stream may be longer than what pattern functions take.

local cjson = require "cjson"

local event_stream = {}

local MAX_EVENT_BYTES = 1024 * 1024

-- The value of a "data" line, or nil for any other line.
local function data_of(line)
  if string.sub(line, 1, 5) ~= "data:" then return nil end
  return string.sub(line, string.sub(line, 6, 6) == " " and 7 or 6)
end

local function add_event(events, lines)
  if #lines == 0 then return end
  local text = table.concat(lines, "\n")
  local ok, value
  if #text <= MAX_EVENT_BYTES then ok, value = pcall(cjson.decode, text) end
  events[#events + 1] = { data = text, json = ok and value or nil }
end

--- The events of a stream: a list of { data = text, json = the data as a value, if it is JSON }.
-- Events without data are left out.
function event_stream.read(body)
  local events, lines, position = {}, {}, 1
  while position <= #body do
    local newline = string.find(body, "\n", position, true) or #body + 1
    local last = newline - 1
    if string.sub(body, last, last) == "\r" then last = last - 1 end
    if last < position then
      add_event(events, lines)
      lines = {}
    else
      lines[#lines + 1] = data_of(string.sub(body, position, last))
    end
    position = newline + 1
  end
  add_event(events, lines)
  return events
end

return event_stream
