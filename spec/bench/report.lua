-- report.lua - what `make bench` prints: lines of text, and figures with what is wanted of them.
local report = {}

--- Prints a line by a format.
function report.say(...)
  io.write(string.format(...), "\n")
  io.flush()
end

--- Whether a value is at most what is wanted, or at least when `least` is set, in a few words; "" when nothing is wanted.
--- `unit` is said behind the target, or nothing.
function report.judge(value, wanted, least, unit)
  if not wanted then return "" end
  local met = least and value >= wanted or not least and value <= wanted
  return ("target %s %s%s: %s"):format(least and ">=" or "<=", wanted, unit or "", met and "met" or "MISSED")
end

--- One figure and its target.
function report.line(name, format, value, target, least)
  report.say("%-64s %10s   %s", name, format:format(value), report.judge(value, target, least))
end

return report
