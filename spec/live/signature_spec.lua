-- Signatures of vendors' webhooks: the recorded vectors of the contracts, and everything that must not pass.
local cjson = require "cjson"
local contract = require "spec.support.contract"

local PROGRAM = os.getenv("VERIFY_WEBHOOK") or "build/verify-webhook"

-- One verdict for each case, from the C that the host uses.
local function judge(cases)
  local path = os.tmpname()
  local file = assert(io.open(path, "wb"))
  file:write(cjson.encode({ cases = cases }))
  file:close()
  local pipe = assert(io.popen(PROGRAM .. " <" .. path))
  local verdicts = {}
  for line in pipe:lines() do verdicts[#verdicts + 1] = line end
  local ok = pipe:close()
  os.remove(path)
  assert(ok, PROGRAM .. " failed")
  return verdicts
end

local function from_base64url(text)
  local mime = require "mime"
  return (mime.unb64((text:gsub("-", "+"):gsub("_", "/") .. "=")))
end

local function hex(bytes)
  return (bytes:gsub(".", function(byte) return ("%02x"):format(byte:byte()) end))
end

local function copy(case, change)
  local made = { scheme = case.scheme, body = case.body, keys = case.keys, now = case.now, headers = {} }
  for name, value in pairs(case.headers) do made.headers[name] = value end
  change(made)
  return made
end

-- The recorded deliveries whose signature is meant to be looked at, as cases.
local function recorded(provider)
  local found = {}
  for _, case in ipairs(contract.cases(provider)) do
    local body = case.request and case.request.body_raw
    if body and (case.signature or case.key_hex) then
      local keys = case.key_hex and { case.key_hex } or {}
      for _, key in ipairs(case.signature and case.signature.jwks.keys or {}) do keys[#keys + 1] = hex(from_base64url(key.x)) end
      local timestamp = case.request.headers["webhook-timestamp"] or case.request.headers["x-fal-webhook-timestamp"]
      found[#found + 1] = { name = case.name, scheme = case.signature and "fal-ed25519" or "standard-webhooks",
        headers = case.request.headers, body = body, keys = keys, now = tonumber(timestamp),
        good = not (case.expect and case.expect.verify == false), checks = case.checks }
    end
  end
  return found
end

local PREFIX = { ["standard-webhooks"] = "webhook-", ["fal-ed25519"] = "x-fal-webhook-" }
local SIGNED = { ["standard-webhooks"] = { "id", "timestamp", "signature" },
  ["fal-ed25519"] = { "request-id", "user-id", "timestamp", "signature" } }

-- What must not pass of a delivery that does: { name, verdict, change }.
local function alterations(case)
  local prefix = PREFIX[case.scheme]
  local list = {
    { "a changed body", "wrong", function(made)
      made.body = made.body:gsub("%d", function(digit) return (digit + 1) % 10 end, 1)
    end },
    { "a longer body", "wrong", function(made) made.body = made.body .. " " end },
    { "an empty body", "wrong", function(made) made.body = "" end },
    { "another timestamp", "wrong", function(made)
      made.headers[prefix .. "timestamp"] = tostring(made.now + 1)
    end },
    { "a timestamp that is no number", "missing", function(made) made.headers[prefix .. "timestamp"] = made.now .. "x" end },
    { "a negative timestamp", "missing", function(made) made.headers[prefix .. "timestamp"] = "-1" end },
    { "a timestamp beyond all numbers", "missing", function(made) made.headers[prefix .. "timestamp"] = ("9"):rep(40) end },
    { "a clock 301 s ahead", "old", function(made) made.now = made.now + 301 end },
    { "a clock 301 s behind", "old", function(made) made.now = made.now - 301 end },
    { "another key", "wrong", function(made) made.keys = { ("ab"):rep(#made.keys[1] // 2) } end },
    { "no key", "wrong", function(made) made.keys = {} end },
    { "a signature cut short", "wrong", function(made)
      made.headers[prefix .. "signature"] = made.headers[prefix .. "signature"]:sub(1, -5)
    end },
    { "a signature far too long", "missing", function(made) made.headers[prefix .. "signature"] = ("v1,a "):rep(1000) end },
  }
  for _, name in ipairs(SIGNED[case.scheme]) do
    list[#list + 1] = { "no " .. name, "missing", function(made) made.headers[prefix .. name] = nil end }
    if name:find("id$") then
      list[#list + 1] = { "another " .. name, "wrong", function(made) made.headers[prefix .. name] = "other" end }
    end
  end
  return list
end

for _, provider in ipairs { "replicate", "fal" } do
  describe("signatures of " .. provider, function()
    local vectors = recorded(provider)

    it("are recorded", function() assert.is_true(#vectors >= 2) end)

    for _, case in ipairs(vectors) do
      it(case.name, function() assert.same({ case.good and "good" or "wrong" }, judge { case }) end)

      if case.good then
        it(case.name .. ": is good while it is not older than 300 s", function()
          assert.same({ "good", "good" }, judge { copy(case, function(made) made.now = made.now + 300 end),
            copy(case, function(made) made.now = made.now - 300 end) })
        end)

        it(case.name .. ": is good when one of several keys fits", function()
          local other = ("00"):rep(#case.keys[1] // 2)
          assert.same({ "good", "good" }, judge { copy(case, function(made) made.keys = { other, case.keys[1] } end),
            copy(case, function(made) made.keys = { case.keys[1], other } end) })
        end)

        for _, alteration in ipairs(alterations(case)) do
          it(case.name .. ": does not pass with " .. alteration[1], function()
            assert.same({ alteration[2] }, judge { copy(case, alteration[3]) })
          end)
        end
      end
    end
  end)
end

describe("several signatures (Standard Webhooks)", function()
  local case
  setup(function() case = recorded("replicate")[1] end)

  local function with(signature)
    return copy(case, function(made) made.headers["webhook-signature"] = signature end)
  end

  it("pass when one of them fits, in either order", function()
    local good, bad = case.headers["webhook-signature"], "v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc="
    assert.same({ "good", "good", "wrong" }, judge { with(good .. " " .. bad), with(bad .. " " .. good),
      with(bad .. " " .. bad) })
  end)

  it("of other versions do not count", function()
    local good = case.headers["webhook-signature"]
    assert.same({ "wrong", "wrong", "good" }, judge { with((good:gsub("^v1", "v1a"))), with((good:gsub("^v1,", "v2,"))),
      with("v1a,whatever " .. good) })
  end)

  it("do not fit a secret that was used as text", function()
    assert.same({ "wrong" }, judge { with(case.checks.wrong_if_secret_used_as_text) })
  end)
end)
