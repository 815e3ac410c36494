-- What the command costs: its start, and a filtered listing of 10,000 installations, in processor seconds of all
-- processes involved, best of several runs, compared with the library alone and curl | jq. `make bench-cli` runs it.

package.path = "bench/?.lua;" .. package.path

local rows = require "support.rows"
local mock = require "support.mock"

local LUA = os.getenv "LUA" or "lua"
local INSTALLATIONS = tonumber(os.getenv "INSTALLATIONS") or 10000

local environment = ""

local function read_all(command)
  local pipe = assert(io.popen(environment .. command))
  local text = pipe:read "*a"
  pipe:close()
  return text
end

local function quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

-- `times` of the shell prints user and system seconds of its children in its second line.
local function processor_seconds(command, repeats)
  local script = ("i=0; while [ $i -lt %d ]; do { %s\n} >/dev/null; i=$((i+1)); done; times"):format(repeats, command)
  local text = read_all("bash -c " .. quote(script))
  local user_m, user_s, system_m, system_s = text:match "(%d+)m([%d.]+)s (%d+)m([%d.]+)s%s*$"
  return (user_m * 60 + user_s + system_m * 60 + system_s) / repeats
end

local function best(command, repeats, rounds)
  local lowest = math.huge
  for _ = 1, rounds do lowest = math.min(lowest, processor_seconds(command, repeats)) end
  return lowest
end

local function peak_megabytes(command)
  local text = read_all(("env time -f 'peak %%M' bash -c %s 2>&1"):format(quote(command .. " >/dev/null")))
  local kilobytes = text:match "peak (%d+)"
  return kilobytes and kilobytes / 1024
end

-- Prints a row, and keeps it: `base` are the seconds it is compared with.
local function line(work, name, seconds, base, promise, command)
  local peak = command and peak_megabytes(command)
  local ratio = base and seconds / base
  print(("  %-52s %9.4f s  %9s  %s"):format(name, seconds, peak and ("%.1f MB"):format(peak) or "",
    ratio and ("%.2f times%s"):format(ratio, promise or "") or ""))
  rows.add { bench = "cli", work = work, library = name, figure = seconds, unit = "s", ratio = ratio }
  if peak then rows.add { bench = "cli", work = work, library = name, figure = peak, unit = "MB" } end
end

local function has(program)
  return read_all("command -v " .. program) ~= ""
end

local ampersand = LUA .. " bin/ampersand"

local function measure_start()
  local bare = best(LUA .. [[ -e 'require "argparse"']], 50, 5)
  local start = best(ampersand .. " --version", 50, 5)
  local help = best(ampersand .. " installations list --help", 20, 5)
  print "start-up"
  line("start-up", LUA .. " with argparse alone", bare)
  line("start-up", "ampersand --version", start, bare, " (at most 2)")
  line("start-up", "ampersand installations list --help", help, bare)
end

local LIBRARY = [[
local ampersand = require "ampersand"
local client = ampersand.new()
for one in client.installations:where { healthStatus = "unhealthy" }:each() do
  io.write(ampersand.json.encode(one, { sort_keys = true }), "\n")
end]]

local function measure_listing(server)
  local list = "/projects/project-456/integrations/integration-123/installations"
  local command = ampersand .. " installations list --where healthStatus=unhealthy --ndjson"
  local alone = LUA .. " -e " .. quote(LIBRARY)
  local jq = ("curl -s -H 'X-Api-Key: %s' %s%s | jq -c '.[] | select(.healthStatus == \"unhealthy\")'"):format(
    server.key, server.url, list)
  local mine, library = best(command, 3, 5), best(alone, 3, 5)
  local work = ("%d installations, --where healthStatus=unhealthy --ndjson"):format(INSTALLATIONS)
  print("\n" .. work)
  line(work, "the library alone", library, nil, nil, alone)
  line(work, "ampersand installations list", mine, library, " (at most 1.5)", command)
  if not (has "curl" and has "jq") then return print "  curl or jq is not installed here" end
  line(work, "curl and jq", best(jq, 1, 5), mine, " of ampersand's (at least 5)", jq)
end

measure_start()
local server = mock.start { installations = INSTALLATIONS }
environment = ("export AMP_API_URL=%s AMP_API_KEY=%s AMPERSAND_PROJECT_ID=%s AMPERSAND_INTEGRATION_ID=%s; "):format(
  server.url:gsub("/v1$", ""), server.key, server.project, server.integration)
local ok, err = pcall(measure_listing, server)
server:stop()
if not ok then error(err, 0) end
rows.write()
