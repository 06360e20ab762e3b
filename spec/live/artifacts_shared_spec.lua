-- One artifacts folder of two hosts: neither takes the other's temporary files for left ones, and neither sweeps what the other
-- counts on.
local Odd = require "spec.support.odd_outputs"
local shell = require "spec.support.shell"

describe("an artifacts folder of two hosts", function()
  local folder, first, second

  setup(function()
    local pipe = assert(io.popen("mktemp -d"))
    folder = pipe:read("l")
    pipe:close()
    first = Odd.start { artifacts = { dir = folder } }
    second = Odd.start { artifacts = { dir = folder }, vendor = first.vendor }
  end)
  teardown(function()
    second:remove()
    first:remove()
    shell.run("rm -rf " .. shell.quote(folder))
  end)

  local function temporaries()
    local pipe = assert(io.popen(("ls '%s/tmp' 2>/dev/null"):format(folder)))
    local names = {}
    for name in pipe:lines() do names[#names + 1] = name end
    pipe:close()
    return names
  end

  it("keeps what both write at the same time, under names of their own", function()
    local jobs = {}
    for _ = 1, 3 do
      jobs[#jobs + 1] = { first, first:submit({ Odd.file("slow"), { text = "of the first" } }, true) }
      jobs[#jobs + 1] = { second, second:submit({ Odd.file("slow"), { text = "of the second" } }, true) }
    end
    for _, job in ipairs(jobs) do
      local ended = job[1]:ended(job[2])
      for _, artifact in ipairs(ended.artifacts) do
        assert.is_nil(artifact.error)
        assert.equal(200, job[1].host:get(artifact.url).status)
      end
    end
    assert.same({}, temporaries())
  end)

  it("is no place where a start takes away what another host writes, but what nobody writes any more", function()
    first:submit({ Odd.file("stuck") }, true) -- takes 30 s
    first.host:eventually(function() return #temporaries() > 0 end)
    local written = temporaries()
    local left = assert(io.open(folder .. "/tmp/0123456789abcdef", "w"))
    left:write("half")
    left:close()
    second.host:stop()
    second.host:start_again()
    second.host:eventually(function() return not io.open(folder .. "/tmp/0123456789abcdef") end)
    assert.same(written, temporaries())
  end)
end)
