-- Placeholder files of src/media/, made by build/media-probe: any size, any text.
--
--   local bytes, seconds = media.make { format = "png", width = 512, height = 512, seconds = 5, seed = "a", comment = "",
--                                       lines = { "DRY RUN" }, room = 1e7, times = 1 }
-- nil when there was no room for it.
local shell = require "spec.support.shell"

local media = { program = os.getenv "MEDIA_PROBE" or "build/media-probe" }

function media.make(wish)
  local folder = os.getenv "TMPDIR" or "/tmp"
  local out, said = os.tmpname(), folder .. "/media-probe"
  local words = { media.program, wish.times or 1, wish.format, wish.width or 64, wish.height or 64, wish.seconds or 1,
    ("%d"):format(wish.room or 100000000), wish.seed or "seed", wish.comment or "", table.unpack(wish.lines or {}) }
  for i, word in ipairs(words) do words[i] = shell.quote(tostring(word)) end
  local made = os.execute(("%s >%s 2>%s"):format(table.concat(words, " "), out, said))
  local bytes = made and shell.read(out) or nil
  os.remove(out)
  return bytes, (tonumber((shell.read(said) or ""):match("([%d.]+) us")) or 0) / 1e6
end

return media
