-- Proves that credentials.X.pattern means what an extended regular expression of POSIX means, as far as it is allowed (grep -E
-- is asked), and
-- that no pattern and no value makes a request long.
local hosts = require "spec.support.host"
local script_text = require "spec.support.script_text"
local socket = require "socket"

local PATTERNS = {
  "^r8_", "^[^:]+:[^:]+$", "^sk-[A-Za-z0-9]{4,8}$", "abc", "^$", "", "a*", "^a*$", "^a+b?$", "^(ab|cd)+$", "^(a|b)*c$",
  "^a{3}$", "^a{2,}$",
  "^a{0,2}$", "^(ab){1,2}$", "^(a?){3}$", "^(a*)*$", "^((a|b)c?)+$", "[[:digit:]]+x", "^[[:alnum:]_-]+$", "^[]a]+$",
  "^[^]a]+$", "^[a\\]+$",
  "^[a-]+$", "a.c", "^.{5}$", "\\.", "^\\$[0-9]+\\.[0-9]{2}$", "a|b|cd|^$", "(^a|b$)", "^(|a)b$", "x$",
  "[[:upper:]][[:lower:]]", "[[:space:]]b",
  "^[[:punct:]]+$", "^[[:xdigit:]]{4}$", "(a|ab)(c|bcd)$", "^a**$", "\\{a\\}",
}
local VALUES = {
  "r8_abc", "key:value", "a:b:c", "sk-Ab12", "sk-Ab12345678", "abc", "xabcx", "a", "aa", "aaa", "aaaa", "b", "ab", "abab",
  "ababab", "abcd", "ac",
  "aabbc", "acbc", "12x", "x", "a_b-C", "]a]", "]", "a\\", "a-a", "a.c", "hello", "$10.50", "cd", "Ab", "a b", "!?%", "beef",
  "abcbcd", "abbcd",
  "{a}", "A", "zzz",
}

-- What grep says of every pattern and value, as "1" and "0" line by line.
local function ask_grep(folder)
  local function write(name, list)
    local file = assert(io.open(folder .. "/" .. name, "wb"))
    file:write(table.concat(list, "\n"), "\n")
    file:close()
  end
  write("patterns", PATTERNS)
  write("values", VALUES)
  local pipe = assert(io.popen(([[cd %s && while IFS= read -r p; do grep -nE -e "$p" values | cut -d: -f1 | tr '\n' ' '; echo
    done < patterns]]):format(folder)))
  local matching = {}
  for line in pipe:lines() do
    local set = {}
    for number in line:gmatch("%d+") do set[VALUES[tonumber(number)]] = true end
    matching[#matching + 1] = set
  end
  pipe:close()
  return matching
end

local function provider(id, pattern)
  local fields = { credentials = ("{ api_key = { secret = { 'api_key' }, pattern = %q } }"):format(pattern) }
  return script_text.provider(id, { fields = fields, health = "return { ok = true }" })
end

describe("a credential's pattern", function()
  local host, slow

  setup(function()
    local files = { ["providers/tall.lua"] = provider("tall", "^(([[:alnum:]]*){0,9}[[:alnum:]]*)*!$"),
      ["providers/wide.lua"] = provider("wide", "(a|b|ab|.)*(.*)*(a{1,100}){1,2}x$") }
    for index, pattern in ipairs(PATTERNS) do files["providers/p" .. index .. ".lua"] = provider("p" .. index, pattern) end
    host = hosts.start { files = files }
  end)
  teardown(function() host:remove() end)

  local function looks_right(id, value)
    local answer = host:post("/api/providers/image/" .. id .. "/health", { config = { api_key = value } })
    assert.equal(200, answer.status, answer.body:sub(1, 300))
    return not answer.body:find("does not look like one of this provider", 1, true)
  end

  it("means what it means to grep -E", function()
    local expected, different = ask_grep(host.home), {}
    for index, pattern in ipairs(PATTERNS) do
      for _, value in ipairs(VALUES) do
        if looks_right("p" .. index, value) ~= (expected[index][value] or false) then
          different[#different + 1] = ("%s on %s: grep says %s"):format(pattern, value, expected[index][value])
        end
      end
    end
    assert.same({}, different)
  end)

  it("takes no long value's time", function()
    slow = socket.gettime()
    for _ = 1, 20 do
      assert.is_false(looks_right("tall", ("a"):rep(4096)))
      assert.is_false(looks_right("wide", ("a"):rep(4096)))
    end
    assert.is_true(socket.gettime() - slow < 60, "40 requests took longer than a minute")
  end)
end)
