-- How soak and storm end a host: most times by SIGKILL, else well. `run` counts and collects problems.
local KILLED = 128 + 9 -- the exit code of a host that was killed

-- A host that had ended by itself was not killed: that is a crash, and must not pass for one of ours.
return function(run, term_share)
  local host = run.live.host
  if math.random() < term_share then
    run:count "stopped (SIGTERM)"
    local ok, problem = pcall(host.ends_well, host)
    if not ok then run:problem("the host did not stop well: %s", problem) end
    return
  end
  run:count "killed (SIGKILL)"
  local code = host:kill()
  local _, errors = host:output()
  if code ~= KILLED then run:problem("the host had ended by itself with %d: %s", code, errors:sub(1, 4000)) end
end
