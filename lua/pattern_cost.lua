-- pattern_cost.lua - the host's bound on pattern functions, for scripts that run without it (lua/offline.lua).
--
-- The same figures as in src/script/pattern.c and src/base/limits.h: what the host would refuse on a long text fails here too.
-- Never loaded inside the host.

local pattern_cost = {}

local MAX_SUBJECT_BYTES, MAX_COST, USUAL_SET = 65536, 1e9, 32

-- Where the set that begins at `at` ends.
local function end_of_set(pattern, at)
  at = at + (pattern:sub(at + 1, at + 1) == "^" and 2 or 1)
  if pattern:sub(at, at) == "]" then at = at + 1 end
  while at <= #pattern and pattern:sub(at, at) ~= "]" do at = at + (pattern:sub(at, at) == "%" and 2 or 1) end
  return at
end

-- Quantifiers that can backtrack, optional items, and the bytes of the longest set.
local function weigh(pattern)
  local powers, halves, longest, at = 0, 0, 0, 1
  while at <= #pattern do
    local byte = pattern:sub(at, at)
    if byte == "%" then
      at = at + 1
      if pattern:find("^[b%d]", at) then powers = powers + 1 end
    elseif byte == "[" then
      local last = end_of_set(pattern, at)
      longest, at = math.max(longest, last - at), last
    elseif at > 1 and byte:find("^[*+-]") then
      powers = powers + 1
    elseif at > 1 and byte == "?" then
      halves = halves + 1
    end
    at = at + 1
  end
  return powers, halves, longest
end

local function check(subject, pattern, repeats)
  subject = tostring(subject)
  assert(#subject <= MAX_SUBJECT_BYTES, "pattern functions take subjects of at most 65536 bytes")
  local powers, halves, longest = weigh(pattern)
  if powers + halves == 0 then return end
  if pattern:sub(1, 1) ~= "^" or repeats then powers = powers + 1 end
  local cost = math.max(1, longest // USUAL_SET) * (#subject) ^ powers * 2 ^ halves
  if cost > MAX_COST then error(("pattern '%s' could take too long on %d bytes"):format(pattern, #subject), 3) end
end

--- The string library as the host gives it to scripts.
function pattern_cost.string()
  local guarded = {}
  for name, value in pairs(string) do guarded[name] = value end
  guarded.dump = nil
  function guarded.find(subject, pattern, first, plain)
    if not plain then check(subject, pattern) end
    return string.find(subject, pattern, first, plain)
  end
  function guarded.match(subject, pattern, first)
    check(subject, pattern)
    return string.match(subject, pattern, first)
  end
  function guarded.gmatch(subject, pattern)
    check(subject, pattern, true)
    return string.gmatch(subject, pattern)
  end
  function guarded.gsub(subject, pattern, ...)
    check(subject, pattern, true)
    return string.gsub(subject, pattern, ...)
  end
  return guarded
end

return pattern_cost
