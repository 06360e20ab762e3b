-- times.lua - the dates of HTTP headers and of JSON, as seconds since 1970. Scripts have no clock: they measure between two.

local times = {}

local MONTHS = {
  jan = 1, feb = 2, mar = 3, apr = 4, may = 5, jun = 6, jul = 7, aug = 8, sep = 9, oct = 10, nov = 11, dec = 12,
}

local MAX_DATE_BYTES = 64

-- Days since 1970-01-01 of a Gregorian date; the year is counted from March, so that the leap day comes last.
local function days_since_epoch(year, month, day)
  if month <= 2 then year = year - 1 end
  local era = year // 400
  local year_of_era = year - era * 400
  local day_of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
  return era * 146097 + year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year - 719468
end

local function seconds_of(year, month, day, hour, minute, second)
  local days = days_since_epoch(math.tointeger(tonumber(year)), month, math.tointeger(tonumber(day)))
  return days * 86400 + tonumber(hour) * 3600 + tonumber(minute) * 60 + tonumber(second)
end

--- "Sun, 06 Nov 1994 08:49:37 GMT" as seconds since 1970; nil for anything else.
function times.of_http(text)
  if type(text) ~= "string" then return nil end
  local day, month, year, hour, minute, second =
    string.match(string.sub(text, 1, MAX_DATE_BYTES), "(%d%d?) (%a%a%a) (%d%d%d%d) (%d%d):(%d%d):(%d%d)")
  month = month and MONTHS[string.lower(month)]
  return month and seconds_of(year, month, day, hour, minute, second)
end

--- "2026-11-25T12:00:00.123456Z" (RFC 3339, UTC unless it says otherwise) as seconds since 1970; nil for anything else.
function times.of_iso(text)
  if type(text) ~= "string" then return nil end
  local year, month, day, hour, minute, second, zone = string.match(string.sub(text, 1, MAX_DATE_BYTES),
    "^(%d%d%d%d)-(%d%d)-(%d%d)[Tt ](%d%d):(%d%d):(%d%d%.?%d*)(.*)$")
  month = year and math.tointeger(tonumber(month))
  if not month or month < 1 or month > 12 then return nil end
  local sign, hours, minutes = string.match(zone, "^([+-])(%d%d):?(%d%d)$")
  local offset = sign and (tonumber(hours) * 3600 + tonumber(minutes) * 60) or 0
  return seconds_of(year, month, day, hour, minute, second) - (sign == "-" and -offset or offset)
end

return times
