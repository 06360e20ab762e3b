-- axe-core in a page: what of it people with a screen reader, a keyboard or weak eyes cannot use, as far as a program can tell.
--
--   local missing = axe.missing()        -- nil, or why it cannot be had from npm
--   axe.assert_none(page)                -- an error that names each rule, and the elements
local npm = require "spec.support.npm"
local shell = require "spec.support.shell"

local axe = {}

local SHOWN = 5 -- elements of each rule

function axe.missing()
  return npm.install(npm.AXE)
end

local source

-- A document has it until it is left; a route is no other document.
local function inject(browser)
  if browser:execute "return Boolean(window.axe)" then return end
  source = source or assert(shell.read(npm.AXE.folder .. "/node_modules/axe-core/axe.min.js"), "axe-core is not installed")
  browser:execute(source)
end

-- Colours that are on their way to those of another look are nobody's choice: it waits until they have come.
local RUN = [[
const moving = document.getAnimations().filter(animation => animation instanceof CSSTransition);
await Promise.allSettled(moving.map(animation => animation.finished));
const all = { type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] };
const colours = { type: "rule", values: ["color-contrast", "link-in-text-block"] };
const found = await axe.run(document, { resultTypes: ["violations"], runOnly: arguments[1] ? colours : all });
const fold = text => (text ?? "").replace(/\s+/g, " ");
const tell = node => `  ${node.target.join(" ")}  ${fold(node.html).slice(0, 160)}\n    ${fold(node.failureSummary)}`;
return found.violations.map(rule => [`${rule.id}: ${rule.help}`, ...rule.nodes.slice(0, arguments[0]).map(tell)].join("\n"));]]

--- What is wrong with the page that is open, a text each. colours: only what the colours of a look decide.
function axe.violations(browser, colours)
  inject(browser)
  return browser:await(RUN, SHOWN, colours or false)
end

--- A page with violations is an error; `where` is said with them.
function axe.assert_none(page, where)
  local found = axe.violations(page.browser or page)
  if #found > 0 then error(("%s has %d violations:\n%s"):format(where or "the page", #found, table.concat(found, "\n")), 2) end
end

return axe
