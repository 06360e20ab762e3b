-- A recorded exchange of spec/contracts/openai.json: what the client sent, and whether an answer is like the recorded one. Times,
-- ids and pictures differ; what clients act on does not.
local assert = require "luassert"
local exact = require "spec.support.exact_json"
local form = require "spec.support.form"
local mime = require "mime"
local shell = require "spec.support.shell"

local openai_case = {}

function openai_case.all()
  return exact.decode(assert(shell.read("spec/contracts/openai.json")))
end

-- Members whose values clients look at.
local SAME = {}
for name in ([[object status size seconds model output_format type code param dry_run provider estimated_cost_usd quantity unit
  remixed_from_video_id error whose period image_size aspect_ratio prompt_of]]):gmatch "%S+" do SAME[name] = true end

local function parts_of(request)
  local parts = {}
  for index, part in ipairs(request.form) do
    parts[index] = { name = part.name, value = part.value, filename = part.filename, content_type = part.content_type,
      data = part.base64 and mime.unb64(part.base64) }
  end
  return parts
end

--- Sends the request to a host as it was sent; `key` is the API key.
function openai_case.send(host, case, key)
  local request, headers = case.request, {}
  for name, value in pairs(request.headers) do
    if name:lower() == "idempotency-key" then value = value .. "-" .. case.name:gsub("[^%w]", "-") end
    if name:lower() ~= "content-type" then headers[name] = value:gsub("%$KEY", key or "sk-test") end
  end
  local path = request.url:gsub("%$BASE", "/v1")
  if request.form then return form.post(host, path, parts_of(request), headers) end
  return host:request(request.method, path, request.body, headers)
end

local function like(wanted, found, path)
  if wanted == exact.null and path:find("expires_at$") then return end -- how long it is kept is configured
  if wanted == exact.null then
    assert.is_true(found == nil or found == exact.null, path .. " is " .. tostring(found))
  elseif type(wanted) ~= "table" then
    assert.equal(type(wanted), type(found), path)
    if SAME[path:match("([%w_]+)$")] then assert.equal(wanted, found, path) end
  elseif path:find("upstream$") then
    assert.same(wanted, found, path)
  elseif wanted[1] ~= nil then
    assert.is_true(type(found) == "table" and #found >= 1, path)
    if type(wanted[1]) == "table" then like(wanted[1], found[1], path .. "[1]") end
  else
    assert.equal("table", type(found), path)
    for name, value in pairs(wanted) do like(value, found[name], path .. "." .. name) end
  end
end

openai_case.like = like

local HEADERS = { "x-providerd-dry-run", "x-providerd-estimated-cost-usd", "x-should-retry", "retry-after-ms" }

--- Is the answer like the recorded one, in status, headers and shape?
function openai_case.check(case, answer)
  local wanted = case.response
  assert.equal(wanted.status, answer.status, answer.body:sub(1, 800))
  assert.truthy(answer.headers["x-request-id"])
  assert.equal(wanted.headers["content-type"], answer.headers["content-type"]:match("^[^;]+"))
  for _, name in ipairs(HEADERS) do
    if wanted.headers[name] then assert.equal(wanted.headers[name], answer.headers[name], name) end
  end
  if wanted.headers["x-providerd-job-id"] then assert.truthy(answer.headers["x-providerd-job-id"]) end
  if type(wanted.body) == "table" then like(wanted.body, exact.decode(answer.body), "body") end
end

return openai_case
