-- Studio's page of the host, where several use one registry: all of them, with their signs of life, and whose jobs are whose.
local axe = require "spec.support.axe"
local hosts = require "spec.support.hosts"
local postgres = require "spec.support.postgres"
local studio = require "spec.support.studio"

if postgres.missing() then
  describe("Studio's page of several hosts", function()
    it("is seen", function() pending(postgres.missing()) end)
  end)
  return
end

studio.describe("Studio's page of several hosts", function()
  local all, page
  setup(function()
    all = hosts.start { simulate = { "--fault", "replicate:never_ending:1" },
      config = function(config) config.registry.lease_seconds = 3 end }
    page = studio.at(("http://127.0.0.1:%d/"):format(all[1].host.port), all[1].host)
    page:open(page.base)
  end)
  teardown(function()
    all:remove()
  end)

  local ROWS = "document.querySelectorAll('.hosts tbody tr')"

  it("shows all, and takes out who is gone", function()
    local job = all[2]:job("replicate")
    all[2]:becomes(job, "running")
    page:go "#/host"
    page:wait(ROWS .. ".length === 2", "both hosts")
    page:wait(("[...%s].some(row => row.innerText.includes('this one'))"):format(ROWS), "which one is asked")
    page:wait(("[...%s].filter(row => row.lastChild.textContent === '1').length === 1"):format(ROWS), "whose job it is", 20)
    for _, look in ipairs { "dark", "phone", "light" } do
      page:look(look)
      if not axe.missing() then assert.same({}, axe.violations(page.browser), look) end
      page:picture("hosts-" .. look, { full = true })
    end
    all[2].host:kill()
    page:wait(ROWS .. ".length === 1", "that one is gone", 40)
    page:assert_clean()
  end)
end)
