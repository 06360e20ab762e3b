-- A strict reader of Prometheus' text format 0.0.4: it refuses what a real one might let pass. promtool, when it is installed,
-- has a say too.
--
--   local families = prometheus.read(text)
--   prometheus.value(families, "providerd_http_requests_total", { route = "/healthz" })
--     -- the sum of the samples that have these labels
local prometheus = {}

local TYPES = { counter = true, gauge = true, histogram = true, summary = true, untyped = true }

local function fail(number, line, what)
  error(("line %d: %s: %q"):format(number, what, line), 0)
end

-- {a="b",c="d"} from `at` on. Returns the labels, their text in order, and what follows.
local function read_labels(line, at, number)
  local labels, order = {}, {}
  at = at + 1
  while line:sub(at, at) ~= "}" do
    local name, next_at = line:match('^([%a_][%w_]*)="()', at)
    if not name then fail(number, line, "bad label") end
    if labels[name] then fail(number, line, "label twice") end
    local value = {}
    at = next_at
    while true do
      local char = line:sub(at, at)
      if char == "" then fail(number, line, "open label value") end
      if char == '"' then break end
      if char == "\\" then
        at = at + 1
        local escaped = ({ n = "\n", ["\\"] = "\\", ['"'] = '"' })[line:sub(at, at)]
        if not escaped then fail(number, line, "bad escape") end
        char = escaped
      end
      value[#value + 1] = char
      at = at + 1
    end
    labels[name] = table.concat(value)
    order[#order + 1] = name
    at = at + 1
    local separator = line:sub(at, at)
    if separator == "," then at = at + 1 elseif separator ~= "}" then fail(number, line, "bad separator") end
  end
  table.sort(order)
  for i, name in ipairs(order) do order[i] = name .. "=" .. labels[name] end
  return labels, table.concat(order, ","), at + 1
end

local function read_value(text, number, line)
  if text == "+Inf" then return math.huge elseif text == "-Inf" then return -math.huge elseif text == "NaN" then return 0 / 0 end
  if not text:match("^[%-+]?%d+%.?%d*[eE]?[%-+]?%d*$") then fail(number, line, "bad value") end
  return tonumber(text) or fail(number, line, "bad value")
end

local function family_name(name, family)
  if not family then return name end
  for _, suffix in ipairs(({ histogram = { "_bucket", "_sum", "_count" }, summary = { "_sum", "_count" } })[family.type] or {}) do
    if name == family.name .. suffix then return family.name end
  end
  return name
end

local function read_sample(families, family, line, number)
  local name, at = line:match("^([%a_:][%w_:]*)()")
  if not name then fail(number, line, "no sample") end
  if not family or family_name(name, family) ~= family.name then fail(number, line, "a sample outside its family") end
  local labels, key = {}, ""
  if line:sub(at, at) == "{" then labels, key, at = read_labels(line, at, number) end
  local text = line:match("^ (%S+)$", at)
  if not text then fail(number, line, "no value") end
  local value = read_value(text, number, line)
  if family.type == "counter" and (value < 0 or value ~= value) then fail(number, line, "a counter below 0") end
  key = name .. "{" .. key .. "}"
  if families.seen[key] then fail(number, line, "a sample twice") end
  families.seen[key] = true
  family.samples[#family.samples + 1] = { name = name, labels = labels, value = value }
end

local function check_histogram(family)
  local groups = {}
  for _, sample in ipairs(family.samples) do
    local names = {}
    for label, value in pairs(sample.labels) do if label ~= "le" then names[#names + 1] = label .. "=" .. value end end
    table.sort(names)
    local key = table.concat(names, ",")
    local group = groups[key] or { buckets = {} }
    groups[key] = group
    if sample.name == family.name .. "_bucket" then
      local le = assert(sample.labels.le, family.name .. ": a bucket without le")
      group.buckets[#group.buckets + 1] = { le == "+Inf" and math.huge or assert(tonumber(le)), sample.value }
    else
      group[sample.name:sub(#family.name + 1)] = sample.value
    end
  end
  for key, group in pairs(groups) do
    local last = { -math.huge, 0 }
    for _, bucket in ipairs(group.buckets) do
      assert(bucket[1] > last[1] and bucket[2] >= last[2], family.name .. "{" .. key .. "}: buckets out of order")
      last = bucket
    end
    assert(last[1] == math.huge, family.name .. "{" .. key .. "}: no bucket +Inf")
    assert(group._count == last[2], family.name .. "{" .. key .. "}: _count is not the last bucket")
    assert(group._sum, family.name .. "{" .. key .. "}: no _sum")
  end
end

--- Reads a whole text; an error says in which line what is wrong. Returns the families by name.
function prometheus.read(text)
  assert(text:sub(-1) == "\n", "the last line has no end")
  local families, family, number = { seen = {} }, nil, 0
  for line in text:gmatch("([^\n]*)\n") do
    number = number + 1
    local kind, name, rest = line:match("^# (%u+) ([%a_:][%w_:]*) (.+)$")
    if kind == "HELP" then
      if families[name] then fail(number, line, "a family twice") end
      family = { name = name, help = rest, samples = {} }
      families[name] = family
    elseif kind == "TYPE" then
      if not family or family.name ~= name or family.type or not TYPES[rest] or #family.samples > 0 then
        fail(number, line, "bad TYPE")
      end
      family.type = rest
    elseif line:sub(1, 1) == "#" then
      fail(number, line, "an unknown comment")
    else
      read_sample(families, family, line, number)
    end
  end
  families.seen = nil
  for _, each in pairs(families) do
    assert(each.type, each.name .. " has no type")
    if each.type == "histogram" then check_histogram(each) end
    if each.type == "counter" then assert(each.name:match("_total$"), each.name .. ": a counter's name ends in _total") end
  end
  return families
end

--- The sum of a family's samples (of this name) that have all these labels; nil when there is none.
function prometheus.value(families, name, labels, sample_name)
  local sum
  for _, sample in ipairs(families[name] and families[name].samples or {}) do
    local fits = sample.name == (sample_name or name)
    for label, value in pairs(labels or {}) do fits = fits and sample.labels[label] == value end
    if fits then sum = (sum or 0) + sample.value end
  end
  return sum
end

--- What promtool says of the text, "" for nothing; nil when it is not installed.
function prometheus.promtool(text)
  if not os.execute("command -v promtool >/dev/null 2>&1") then return nil end
  local path = os.tmpname()
  local file = io.open(path, "w")
  file:write(text)
  file:close()
  local pipe = io.popen("promtool check metrics <" .. path .. " 2>&1")
  local said = pipe:read("a")
  pipe:close()
  os.remove(path)
  return said
end

return prometheus
