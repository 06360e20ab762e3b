-- A registry with very many rows, at once: the host's own first dry run, again and again, further and further back.
--
--   many_rows(host, 100000)        -- stops the host, and starts it again
--
-- Every hundredth ended with an error, the rest are done; a prompt names its row's number.
local shell = require "spec.support.shell"

local APART_MS = 600
local SQL = [[
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
INSERT INTO task (sequence, status, source, dry_run, progress, created_ms,
    updated_ms, id, vendor_id, request_id, payload, estimates)
  SELECT t.sequence - i * %d * 4096, iif(i %% 100 = 0, %d, t.status), t.source, t.dry_run, t.progress, t.created_ms - i * %d,
    t.updated_ms - i * %d, randomblob(16), t.vendor_id, t.request_id,
    replace(t.payload, 'the very first', 'number ' || i), t.estimates
  FROM n, (SELECT * FROM task ORDER BY sequence LIMIT 1) AS t;
DELETE FROM task_index;
UPDATE task_indexed SET sequence = 0;]]
local ERROR = 3 -- a row's status (src/registry/task.h)

return function(host, count)
  local answer = host:post("/api/providers/image/fal/submit", { prompt = "a lighthouse, the very first" })
  assert(answer.status == 200, answer.body)
  host:stop()
  shell.sql(host, SQL:format(count, APART_MS, ERROR, APART_MS, APART_MS))
  host:start_again()
end
