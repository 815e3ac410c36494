-- How cost grows with the number of installations, over HTTP, compared with other clients: `make bench-growth`.
--
-- Every contender is a whole process that lists the installations, prints a line as soon as it holds the first one, and
-- at the end how many there were and how long their ids are together; these must agree. Records repeat every
-- thousand. GROWTH bounds the number (1,000,000 needs 3 GB below the folder of temporary files).

package.path = "bench/?.lua;" .. package.path

local nginx = require "support.nginx"
local rows = require "support.rows"
local socket = require "socket"
local texts = require "support.texts"

local GROWTH = tonumber(os.getenv "GROWTH") or 1000000
local LUA = os.getenv "LUA" or "lua5.4"
local RIVAL_PATH, RIVAL_CPATH = os.getenv "RIVAL_PATH", os.getenv "RIVAL_CPATH"

local TALLY = [[
local count, letters = 0, 0
local function take(installation)
  if count == 0 then print "first" io.stdout:flush() end
  count, letters = count + 1, letters + #installation.id
end
local function take_all(list)
  for i = 1, #list do take(list[i]) end
end
]]
local REPORT = ' print(count .. " " .. letters)'
local OURS = TALLY .. [[
local installations = require "ampersand".new {
  base_url = arg[1] .. "/v1", api_key = "key", project = "p", integration = arg[2], http_proxy = "",
  max_values = math.huge,
}.installations
]]
local URL = [[ local url = arg[1] .. "/v1/projects/p/integrations/" .. arg[2] .. "/installations"
]]

local LUA_CURL = [[
local v3, curl = pcall(require, "lcurl")
local chunks = {}
local function write(a, b)
  local chunk = type(a) == "string" and a or b
  chunks[#chunks + 1] = chunk
  return #chunk
end
if v3 then
  curl.easy { url = url, httpheader = { "X-Api-Key: key" }, proxy = "", writefunction = write }:perform()
else
  curl = require "curl"
  local easy = curl.easy_init()
  easy:setopt(curl.OPT_URL, url)
  easy:setopt(curl.OPT_HTTPHEADER, { "X-Api-Key: key" })
  easy:setopt(curl.OPT_PROXY, "")
  easy:setopt(curl.OPT_WRITEFUNCTION, write)
  easy:perform()
end
take_all(require "cjson".decode(table.concat(chunks)))]]

local LUA_SOCKET = [[
local http, ltn12 = require "socket.http", require "ltn12"
local chunks = {}
assert(http.request { url = url, headers = { ["X-Api-Key"] = "key" }, sink = ltn12.sink.table(chunks) })
take_all(require(JSON).decode(table.concat(chunks)))]]

local LUA_HTTP = [[
local request = require "http.request".new_from_uri(url)
request.headers:append("x-api-key", "key")
local _, stream = assert(request:go(600))
take_all(require "cjson".decode((assert(stream:get_body_as_string()))))]]

local NODE = [[
const url = process.argv[2] + "/v1/projects/p/integrations/" + process.argv[3] + "/installations";
fetch(url, { headers: { "X-Api-Key": "key" } }).then((answer) => answer.json()).then((list) => {
  console.log("first");
  let letters = 0;
  for (const installation of list) letters += installation.id.length;
  console.log(list.length + " " + letters);
});]]

local JQ = [[curl -s -H 'X-Api-Key: key' "$1/v1/projects/p/integrations/$2/installations" | jq -r '.[].id' |
awk 'NR == 1 { print "first"; fflush() } { n++; letters += length($0) } END { print n " " letters }']]

local rival_lua = RIVAL_CPATH and LUA or "lua5.1"
local rival_environment = RIVAL_CPATH and ("LUA_PATH='%s;;' LUA_CPATH='%s;;'"):format(RIVAL_PATH or "", RIVAL_CPATH)
  or "env -u LUA_PATH -u LUA_CPATH"

-- `most`: where a contender stops, since it would take minutes or the machine's memory.
local CONTENDERS = {
  { name = "ampersand each", run = LUA, text = OURS .. "for one in installations:each() do take(one) end" .. REPORT },
  { name = "ampersand list", run = LUA, most = 100000,
    text = OURS .. "take_all(assert(installations:list()))" .. REPORT },
  { name = "Lua-cURL and lua-cjson", run = rival_environment .. " " .. rival_lua, most = 100000,
    needs = RIVAL_CPATH and "lcurl" or "curl", text = TALLY .. URL .. LUA_CURL .. REPORT },
  { name = "LuaSocket and lua-cjson", run = LUA, most = 100000, needs = "socket.http",
    text = TALLY .. URL .. 'local JSON = "cjson"\n' .. LUA_SOCKET .. REPORT },
  { name = "LuaSocket and dkjson", run = LUA, most = 10000, needs = "dkjson",
    text = TALLY .. URL .. 'local JSON = "dkjson"\n' .. LUA_SOCKET .. REPORT },
  { name = "lua-http and lua-cjson", run = "env -u LUA_PATH -u LUA_CPATH lua5.1", most = 100000,
    needs = "http.request", text = TALLY .. URL .. LUA_HTTP .. REPORT },
  { name = "node fetch", run = "node", most = 100000, text = NODE },
  { name = "curl and jq", run = "sh", most = 100000, text = JQ },
}

local function shell(command)
  local pipe = assert(io.popen(command))
  local text = pipe:read "*a"
  pipe:close()
  return text
end

local function present(contender)
  if contender.run == "node" then return shell "command -v node" ~= "" end
  if contender.run == "sh" then return shell "command -v curl" ~= "" and shell "command -v jq" ~= "" end
  return not contender.needs
    or shell(("%s -e 'print(pcall(require, \"%s\"))' 2>&1"):format(contender.run, contender.needs)):find "^true" ~= nil
end

--- One process, start to end: ms to the first installation, to the end and of processors, peak MB, and its answer.
local function measure(server, contender, n)
  local base = server:url("", "plain"):gsub("/$", "")
  local pipe = assert(io.popen(("{ env time -f '%%M %%U %%S' -o %s/peak %s %s %s %d; } 2>%s/errors"):format(
    server.directory, contender.run, contender.path, base, n, server.directory)))
  local start = socket.gettime()
  local line = pipe:read "*l"
  local first = (socket.gettime() - start) * 1000
  local answer = pipe:read "*l"
  pipe:close()
  local whole = (socket.gettime() - start) * 1000
  if line ~= "first" or not answer then
    error(contender.name .. ": " .. shell("cat " .. server.directory .. "/errors"), 0)
  end
  local peak, user, system = shell(("tail -n 1 %s/peak"):format(server.directory)):match "(%S+) (%S+) (%S+)"
  return { first = first, whole = whole, cpu = (user + system) * 1000, peak = peak / 1024, answer = answer }
end

local function generate(server, n)
  local place = ("%s/www/v1/projects/p/integrations/%d"):format(server.directory, n)
  assert(os.execute("mkdir -p " .. place))
  local file = assert(io.open(place .. "/installations", "wb"))
  local block = texts.installations(texts.sets[1], math.min(n, 1000)):sub(2, -2)
  for i = 1, n, 1000 do
    file:write(i == 1 and "[" or ",", block)
  end
  file:write "]"
  file:close()
end

local function has_space(server, n)
  local kilobytes = tonumber(shell("df -Pk " .. server.directory .. " | awk 'NR == 2 { print $4 }'"))
  return kilobytes > n * 3.5
end

-- Noise only adds.
local function better(a, b)
  for name, value in pairs(a or {}) do
    if name ~= "answer" then b[name] = math.min(value, b[name]) end
  end
  return b
end

local function at(server, n)
  generate(server, n)
  local results, answer = {}, nil
  for round = 1, n < 100000 and 3 or 1 do
    for k = 1, #CONTENDERS do
      local i = (k + round - 2) % #CONTENDERS + 1
      local contender = CONTENDERS[i]
      if contender.path and n <= (contender.most or n) then
        results[i] = better(results[i], measure(server, contender, n))
        answer = answer or results[i].answer
        assert(results[i].answer == answer, contender.name .. " computed something else")
      end
    end
  end
  os.remove(("%s/www/v1/projects/p/integrations/%d/installations"):format(server.directory, n))
  for i, contender in ipairs(CONTENDERS) do
    local result = results[i]
    if result then
      print(("%9d  %-24s %10.1f %10.1f %10.1f %10.1f"):format(n, contender.name, result.cpu, result.whole, result.first,
        result.peak))
      for _, work in ipairs { "cpu", "whole", "first", "peak" } do
        rows.add {
          bench = "growth", work = work, library = contender.name, n = n, figure = result[work],
          unit = work == "peak" and "MB" or "ms",
        }
      end
    end
  end
  io.stdout:flush()
end

local function all(server)
  for i, contender in ipairs(CONTENDERS) do
    if present(contender) then
      contender.path = ("%s/contender%d"):format(server.directory, i)
      local file = assert(io.open(contender.path .. (contender.run == "node" and ".js" or ""), "w"))
      file:write(contender.text)
      file:close()
      if contender.run == "node" then contender.path = contender.path .. ".js" end
    else
      print("absent here: " .. contender.name)
    end
  end
  print(("%9s  %-24s %10s %10s %10s %10s"):format("number", "", "CPU ms", "wall ms", "first ms", "peak MB"))
  local n = 1
  while n <= GROWTH do
    if has_space(server, n) then at(server, n) else print(("%9d  needs more disk space"):format(n)) end
    n = n * 10
  end
end

local server = nginx.start {}
local ok, message = xpcall(all, debug.traceback, server)
server:stop()

if not ok then error(message, 0) end
rows.write()
