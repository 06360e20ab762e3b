-- The folder of artifacts: what happens when it is full, away, or left behind by a host that was killed.
local Odd = require "spec.support.odd_outputs"

local file = Odd.file

describe("the artifacts folder", function()
  local function with(options, test)
    local odd = Odd.start(options)
    local ok, problem = pcall(test, odd)
    odd:remove()
    assert(ok, problem)
  end

  local function is_said(odd, text)
    local job = odd:job { file("large"), { text = "small" } }
    assert.is_truthy(job.artifacts[1].error:find(text, 1, true), job.artifacts[1].error)
    odd.host:eventually(function() return odd.host:log():find("artifact.lost", 1, true) end)
    return job
  end

  it("that cannot be made is said, and the job is done", function()
    with({ max_bytes = 10000000, files = { ["data/artifacts"] = "a file" } }, function(odd)
      local job = is_said(odd, "artifacts folder")
      assert.is_string(job.artifacts[2].error)
    end)
  end)

  it("that may not take a large file is said, and the host lives", function()
    local wrapper = os.tmpname()
    local script = assert(io.open(wrapper, "w"))
    script:write("#!/bin/sh\nulimit -f 4096\nexec '", os.getenv("PROVIDERD") or "build/providerd", "' \"$@\"\n")
    script:close()
    assert(os.execute("chmod 755 " .. wrapper))
    with({ max_bytes = 10000000, program = wrapper }, function(odd)
      local job = is_said(odd, "larger than the system lets")
      assert.is_nil(job.artifacts[2].error)
      assert.equal("", odd:temporaries())
    end)
    os.remove(wrapper)
  end)

  it("on a full disk is said, and is used again when there is room", function()
    with({ max_bytes = 10000000, files = { ["data/artifacts/.keep"] = "" } }, function(odd)
      local folder = odd.host.home .. "/data/artifacts"
      if not os.execute("mount -t tmpfs -o size=2m tmpfs '" .. folder .. "' 2>/dev/null") then return end -- needs root
      local ok, problem = pcall(function()
        local job = is_said(odd, "is full")
        assert.is_nil(job.artifacts[2].error)
        assert.equal("", odd:temporaries())
        assert(os.execute("mount -o remount,size=8m '" .. folder .. "'"))
        assert.is_nil(odd:job({ file("large") }).artifacts[1].error)
      end)
      os.execute("umount '" .. folder .. "'")
      assert(ok, problem)
    end)
  end)

  it("is rid of what a killed host left, and the job's outputs come after the next start", function()
    with({}, function(odd)
      local job_id = odd:submit({ file("stuck"), file("ok.png") }, true)
      odd.host:eventually(function() return odd:temporaries() ~= "" end)
      odd.host:kill()
      odd.host:write("data/artifacts/tmp/99", "half")
      odd.host:start_again()
      local job = odd:ended(job_id)
      assert.is_nil(job.artifacts[1].error)
      assert.equal(("s"):rep(300), odd.host:get(job.artifacts[1].url).body)
      assert.equal("", odd:temporaries())
    end)
  end)

  it("gets what the host had no time for after the next start", function()
    with({}, function(odd)
      local job_id = odd:submit({ file("stuck") }, true)
      odd.host:eventually(function() return odd:temporaries() ~= "" end)
      odd.host:ends_well()
      assert.equal("", odd:temporaries())
      odd.host:start_again()
      assert.is_nil(odd:ended(job_id).artifacts[1].error)
    end)
  end)

  it("gets what is under way when the host stops", function()
    with({}, function(odd)
      local job_id = odd:submit { file("slow") }
      odd.host:eventually(function() return odd:temporaries() ~= "" end)
      odd.host:ends_well()
      odd.host:start_again()
      assert.is_nil(odd:ended(job_id).artifacts[1].error)
    end)
  end)

  it("loses old files, and keeps those that a newer job made too", function()
    local old, both, new = ("aa"):rep(32), ("ab"):rep(32), ("ac"):rep(32)
    local function path(digest, rest) return "data/artifacts/" .. digest:sub(1, 2) .. "/" .. digest .. (rest or "") end
    with({ files = {
      [path(old)] = "old", [path(old, ".job-0.json")] = "{}", [path(both)] = "both", [path(both, ".old-0.json")] = "{}",
      [path(both, ".new-0.json")] = "{}", [path(new)] = "new", ["data/artifacts/aa/notes.txt"] = "not ours",
    } }, function(odd)
      local home = odd.host.home .. "/"
      for _, name in ipairs { path(old), path(old, ".job-0.json"), path(both), path(both, ".old-0.json"),
        "data/artifacts/aa/notes.txt" } do
        assert(os.execute("touch -d '40 days ago' '" .. home .. name .. "'"))
      end
      odd.host:stop()
      odd.host:start_again()
      odd.host:eventually(function() return odd.host:read(path(both, ".old-0.json")) == nil end)
      odd.host:eventually(function() return odd.host:log():find("artifact.swept", 1, true) end)
      assert.same({ nil, nil, "both", "{}", "new", "not ours" },
        { [3] = odd.host:read(path(both)), [4] = odd.host:read(path(both, ".new-0.json")), [5] = odd.host:read(path(new)),
          [6] = odd.host:read("data/artifacts/aa/notes.txt"), [1] = odd.host:read(path(old)),
          [2] = odd.host:read(path(old, ".job-0.json")) })
    end)
  end)
end)
