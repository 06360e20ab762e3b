-- The example of two hosts, PostgreSQL and nginx (packaging/cluster, docs/cluster.md), run as it stands there: what is asked
-- through nginx is one providerd, whichever host answers.
local example = require "spec.support.cluster_example"
local shell = require "spec.support.shell"

local SUBMIT = "/api/providers/image/fal/submit"

if example.missing() then
  describe("the example of two hosts", function()
    it("is run", function() pending(example.missing()) end)
  end)
  return
end

describe("the example of two hosts", function()
  local cluster
  setup(function() cluster = example.start() end)
  teardown(function() cluster:remove() end)

  local function auth() return { Authorization = "Bearer " .. example.key } end

  it("answers at any host for what was submitted through nginx", function()
    local answer = cluster:ask("POST", SUBMIT, { prompt = "a cat" }, { headers = { ["Idempotency-Key"] = "one" } })
    assert.equal(200, answer.status, answer.head .. (answer.body or ""))
    for _ = 1, 4 do -- whoever it is
      local again = cluster:ask("POST", SUBMIT, { prompt = "a cat" }, { headers = { ["Idempotency-Key"] = "one" } })
      assert.equal(answer.json.job_id, again.json.job_id)
    end
    for _, host in ipairs(cluster.hosts) do
      local status = host:get("/api/jobs/status/" .. answer.json.job_id, auth())
      assert.equal(200, status.status)
    end
    assert.equal(1, #cluster:ask("GET", "/api/jobs/list").json.tasks)
  end)

  it("passes an event on at once, not when a buffer is full", function()
    local command = ("curl -sN --max-time 60 --noproxy '*' --http1.1 --cacert %s/root.crt "
      .. "--resolve studio.example:%d:127.0.0.1 -H %s https://studio.example:%d/api/events?type=public.image.submit"):format(
      cluster.folder, cluster.tls_port, shell.quote("Authorization: Bearer " .. example.key), cluster.tls_port)
    local stream = assert(io.popen(command .. " & echo pid $!; wait"))
    local pid = stream:read("l"):match("%d+")
    assert(stream:read("l"), "the stream did not begin")
    for _, host in ipairs(cluster.hosts) do -- one of them is not the stream's
      local job = host:post(SUBMIT, { prompt = "a dog" }, auth()).json.job_id
      local line
      repeat line = stream:read("l") until not line or line:find(job, 1, true)
      assert(line, "the event did not come")
    end
    os.execute("kill " .. pid)
    stream:close()
  end)

  it("goes on while a host is gone, and takes it back", function()
    local first = cluster.hosts[1]
    local address = "127.0.0.1:" .. first.port
    first:kill()
    for _ = 1, 6 do assert.equal(200, cluster:ask("POST", SUBMIT, { prompt = "a bird" }).status) end
    assert.truthy(cluster:look():find("out: " .. address, 1, true))
    local list = shell.read(cluster.folder .. "/providerd-hosts.conf")
    assert.truthy(list:find(address .. " max_fails=1 fail_timeout=1s down;", 1, true), list)
    first:start_again()
    assert.truthy(cluster:look():find("out: none", 1, true))
    assert.equal(200, cluster:ask("GET", "/api/jobs/list").status)
  end)

  it("takes a host out by hand before an upgrade: nothing is refused meanwhile", function()
    local address = "127.0.0.1:" .. cluster.hosts[2].port
    shell.run(("echo %s >%s/providerd-out"):format(address, cluster.folder))
    assert.truthy(cluster:look():find("out: " .. address, 1, true))
    cluster.hosts[2]:stop()
    for _ = 1, 6 do assert.equal(200, cluster:ask("POST", SUBMIT, { prompt = "a fish" }).status) end
    os.remove(cluster.folder .. "/providerd-out")
    cluster.hosts[2]:start_again()
    assert.truthy(cluster:look():find("out: none", 1, true))
  end)

  it("says that nobody is there when nobody is", function()
    for _, host in ipairs(cluster.hosts) do host:stop() end
    assert.equal("", cluster:look():gsub("%s", ""))
    local answer = cluster:ask("GET", "/api/jobs/list")
    assert.equal(503, answer.status)
    assert.equal("no host can be reached; try again", answer.json.detail)
    assert.truthy(answer.head:lower():find("retry-after: 2", 1, true))
    for _, host in ipairs(cluster.hosts) do host:start_again() end
    cluster:look()
    cluster.hosts[1]:eventually(function() return cluster:ask("GET", "/api/jobs/list").status == 200 end)
  end)
end)
