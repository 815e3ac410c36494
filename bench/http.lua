-- HTTP end to end, side by side: `make bench-http`.
--
-- ours is this library; the rival is Lua-cURL with lua-cjson, a handle kept and a decoded table made of each body;
-- the limit only downloads (bench/download.c). Lua-cURLv3 is found through RIVAL_PATH and RIVAL_CPATH under the same
-- Lua, Debian's lua-curl under Lua 5.1. The server is nginx on loopback with generated files.
-- Figures are medians; BENCH_ROWS names a file that gets them as JSON (bench/support/rows.lua).

package.path = "bench/?.lua;" .. package.path

local nginx = require "support.nginx"
local openresty = require "support.openresty"
local rows = require "support.rows"
local socket = require "socket"

local directory = os.tmpname()
os.remove(directory)
assert(os.execute("mkdir " .. directory))

local OURS_LUA = os.getenv "LUA" or "lua5.4"
local RIVAL_PATH, RIVAL_CPATH = os.getenv "RIVAL_PATH", os.getenv "RIVAL_CPATH"
local RIVAL_LUA = RIVAL_CPATH and OURS_LUA or "lua5.1"
local DOWNLOAD = os.getenv "DOWNLOAD"

-- --- the programs: each gets base URL, path, trust directory and bundle as arg[1…4], and ends with `report` ------

local REPORT = [[
local function report(value)
  local peak = io.open("/proc/self/status"):read("*a"):match "VmHWM:%s*(%d+)"
  print(("%f %d %s"):format(os.clock(), peak, tostring(value or "")))
end
]]

local OURS = REPORT .. [[
local ampersand = require "ampersand"
local client = ampersand.new {
  base_url = arg[1] .. "/v1", api_key = "key", project = "p", integration = arg[2], http_proxy = "",
  ca_path = arg[3] ~= "" and arg[3] or nil,
}
local installations = client.installations
]]

local RIVAL = REPORT .. [[
local cjson = require "cjson"
local url = arg[1] .. "/v1/projects/p/integrations/" .. arg[2] .. "/installations"
local v3, cURL = pcall(require, "cURL")
local new, at_once, turn_to
if v3 then
  function turn_to(easy, to) easy:setopt_url(to) end
  function new(take)
    return cURL.easy {
      url = url, httpheader = { "X-Api-Key: key" }, cainfo = arg[4], proxy = "", writefunction = take,
      accept_encoding = "", http_version = cURL.HTTP_VERSION_2TLS, pipewait = 1,
    }
  end
  function at_once(n)
    local multi, bodies, left = cURL.multi(), {}, n
    for i = 1, n do
      bodies[i] = {}
      multi:add_handle(new(function(chunk) bodies[i][#bodies[i] + 1] = chunk return #chunk end))
    end
    while left > 0 do
      multi:perform()
      multi:wait()
      while true do
        local handle, ok, why = multi:info_read(true)
        if handle == 0 then break end
        assert(ok, why)
        multi:remove_handle(handle)
        left = left - 1
      end
    end
    for i = 1, n do cjson.decode(table.concat(bodies[i])) end
  end
else
  local curl = require "curl"
  function turn_to(easy, to) easy:setopt(curl.OPT_URL, to) end
  function new(take)
    local easy = curl.easy_init()
    easy:setopt(curl.OPT_URL, url)
    easy:setopt(curl.OPT_HTTPHEADER, { "X-Api-Key: key" })
    easy:setopt(curl.OPT_CAINFO, arg[4])
    easy:setopt(curl.OPT_PROXY, "")
    if curl.OPT_ENCODING then easy:setopt(curl.OPT_ENCODING, "") end
    easy:setopt(curl.OPT_WRITEFUNCTION, function(a, b)
      local chunk = type(a) == "string" and a or b
      take(chunk)
      return #chunk
    end)
    return easy
  end
end
local chunks
local easy = new(function(chunk) chunks[#chunks + 1] = chunk return #chunk end)
local function list()
  chunks = {}
  easy:perform()
  return cjson.decode(table.concat(chunks))
end
]]

local HEALTH = 'healthStatus = "unhealthy"'

local PROGRAMS = {
  nothing = { ours = REPORT .. "report()", rival = REPORT .. "report()" },
  require = { ours = REPORT .. 'require "ampersand" report()', rival = REPORT .. 'require "cjson" report()' },
  one = { ours = OURS .. "assert(installations:list()) report()", rival = RIVAL .. "list() report()" },
  list = { ours = OURS .. "report(#assert(installations:list()))", rival = RIVAL .. "report(#list())" },
  each = {
    ours = OURS .. "local n = 0 for _ in installations:each() do n = n + 1 end report(n)",
    rival = RIVAL .. "local n = 0 for _ in ipairs(list()) do n = n + 1 end report(n)",
  },
  filter = {
    ours = OURS .. "local n = 0 for _ in installations:where { " .. HEALTH .. [[ }
        :select { "id", "group.groupRef", "connection.provider" }:each() do n = n + 1 end report(n)]],
    rival = RIVAL .. "local n = 0 for _, i in ipairs(list()) do"
      .. " if i.healthStatus == 'unhealthy' then n = n + 1 end end report(n)",
  },
  first = {
    ours = OURS .. [[
      local socket = require "socket"
      local start, first, n = socket.gettime(), nil, 0
      for _ in installations:each() do
        first = first or socket.gettime() - start
        n = n + 1
      end
      report(first * 1000)]],
    rival = RIVAL .. [[
      local socket = require "socket"
      local start = socket.gettime()
      local first = list()[1]
      report(first and (socket.gettime() - start) * 1000)]],
  },
  many = {
    ours = OURS .. "for _ = 1, tonumber(arg[5]) do assert(installations:list()) end report()",
    rival = RIVAL .. "for _ = 1, tonumber(arg[5]) do list() end report()",
  },
  pages = {
    ours = OURS .. 'report(#assert(client.operations:list "one"))',
    rival = RIVAL .. [[
      local operations, token = {}, ""
      repeat
        turn_to(easy, url .. "/one/operations?pageToken=" .. token)
        local page = list()
        for _, operation in ipairs(page.results) do operations[#operations + 1] = operation end
        token = page.pagination.nextPageToken
      until page.pagination.done
      report(#operations)]],
  },
  at_once = {
    ours = OURS .. [[
      local curl = require "ampersand.transport.curl"
      local json = require "ampersand.json"
      local transport = curl.new { ca_path = arg[3], http_proxy = "" }
      local tasks, url = {}, arg[1] .. "/v1/projects/p/integrations/" .. arg[2] .. "/installations"
      for i = 1, 50 do
        tasks[i] = function()
          local res = assert(transport:request { method = "GET", url = url, headers = { ["X-Api-Key"] = "key" } })
          return json.decode(res.read())
        end
      end
      local socket = require "socket"
      local start = socket.gettime()
      local values, errors = transport:parallel(50, tasks)
      assert(not next(errors) and #values == 50)
      report((socket.gettime() - start) * 1000)]],
    rival = RIVAL .. [[
      if not at_once then return end
      local socket = require "socket"
      local start = socket.gettime()
      at_once(50)
      report((socket.gettime() - start) * 1000)]],
  },
}

-- --- measuring -----------------------------------------------------------------------------------------------------

local function quote(word) return "'" .. tostring(word):gsub("'", "'\\''") .. "'" end

local function script(side, name)
  local path = ("%s/%s_%s.lua"):format(directory, side, name)
  local file = assert(io.open(path, "w"))
  file:write(PROGRAMS[name][side])
  file:close()
  return path
end

local function command(side, name, arguments)
  local words = {}
  for i, argument in ipairs(arguments) do words[i] = quote(argument) end
  local environment = side == "ours" and arguments.environment or ""
  if side == "rival" and RIVAL_CPATH then
    environment = ("LUA_PATH=%s LUA_CPATH=%s"):format(quote((RIVAL_PATH or "") .. ";;"), quote(RIVAL_CPATH .. ";;"))
  elseif side == "rival" then
    environment = "unset LUA_PATH LUA_CPATH; exec"
  end
  return ("%s %%s %s %s %s"):format(environment, side == "ours" and OURS_LUA or RIVAL_LUA, script(side, name),
    table.concat(words, " "))
end

local function output_of(shell_command)
  local pipe = assert(io.popen(shell_command))
  local output = pipe:read "*a"
  pipe:close()
  return output
end

local function run(line)
  local start = socket.gettime()
  local output = output_of(line)
  local wall = (socket.gettime() - start) * 1000
  local cpu, peak, value = output:match "^(%S+) (%S+) (%S*)"
  if not cpu then return nil end
  return { wall = wall, cpu = tonumber(cpu) * 1000, peak = tonumber(peak) / 1024, value = tonumber(value) }
end

-- Runs everybody in turns, so that all see the same machine: wall and CPU in ms, peak in MB, and what the program
-- reports, of each run. `limit`: the arguments of bench/download.c.
local function measure(name, arguments, times, limit)
  local lines = { limit = DOWNLOAD and limit and ("%s %s"):format(quote(DOWNLOAD), limit) }
  for _, side in ipairs { "ours", "rival" } do lines[side] = command(side, name, arguments):format "" end
  local row = { ours = {}, rival = {}, limit = {} }
  for i = 1, times do
    for side, line in pairs(lines) do row[side][i] = line and run(line) or nil end
  end
  return row
end

-- Thousands of instructions per request: the difference between two runs under callgrind, so that the start does not
-- count. A rival that is missing here has no figure.
local TIMES, FEW, LOTS = "TIMES", 100, 600

local function counted(line)
  local output = output_of(line:format "valgrind --tool=callgrind --callgrind-out-file=/dev/null" .. " 2>&1 >/dev/null")
  return tonumber(output:match "Collected : (%d+)")
end

-- TIMES stands for the number of requests in `limit`.
local function instructions(arguments, limit)
  local row, lines = {}, { limit = DOWNLOAD and "%s " .. quote(DOWNLOAD) .. " " .. limit }
  arguments[5] = TIMES
  for _, side in ipairs { "ours", "rival" } do lines[side] = command(side, "many", arguments) end
  for side, line in pairs(lines) do
    local few, lots = counted((line:gsub(TIMES, FEW))), counted((line:gsub(TIMES, LOTS)))
    row[side] = few and lots and lots > few and { { instructions = (lots - few) / (LOTS - FEW) / 1000 } }
  end
  return row
end

local SIDES = { { "ours", "ampersand" }, { "rival", "Lua-cURL and lua-cjson" }, { "limit", "libcurl alone" } }

local function keep(work, unit, side, values, rival)
  local figure, low, high = rows.middle(values)
  if not figure then return end
  rows.add {
    bench = "http", work = work, library = side[2], figure = figure, unit = unit, ratio = rival and figure / rival,
    low = #values > 1 and low or nil, high = #values > 1 and high or nil,
    lua = side[1] == "rival" and not RIVAL_CPATH and "Lua 5.1" or nil,
  }
end

-- Prints one line: the medians of what was measured, `column` of it, and ours over the rival's.
-- WORK: a pattern of the work that is wanted.
local function show(work, unit, column, way, ...)
  if not work:find(os.getenv "WORK" or "") then return end
  local row, values, cells = way(...), {}, {}
  for _, side in ipairs(SIDES) do
    values[side[1]] = {}
    for i, each in ipairs(row[side[1]] or {}) do values[side[1]][i] = each[column] end
  end
  local ours, rival = rows.middle(values.ours), rows.middle(values.rival)
  for i, side in ipairs(SIDES) do
    keep(work, unit, side, values[side[1]], rival)
    local figure = rows.middle(values[side[1]])
    cells[i] = figure and ("%10.1f"):format(figure) or "         -"
  end
  local ratio = ours and rival and ("%6.2f"):format(ours / rival) or "     -"
  print(("%-52s %s %s"):format(work .. ": " .. unit, table.concat(cells, " "), ratio))
  io.stdout:flush()
end

-- --- the table -----------------------------------------------------------------------------------------------------

local function generate(server, n)
  local json = require "ampersand.json"
  local installation = require("ampersand.mock").installation
  local place = ("%s/www/v1/projects/p/integrations/%d"):format(server.directory, n)
  assert(os.execute("mkdir -p " .. place))
  local file = assert(io.open(place .. "/installations", "w"))
  file:write "["
  for i = 1, n do file:write(i == 1 and "" or ",", json.encode(installation(i % 1000 + 1))) end
  file:write "]"
  file:close()
end

local PAGES, PER_PAGE = 50, 200

-- Shaped as the vendor's documents have it.
local function operation(i)
  local id, object = ("9b2e7d54-1a0c-4f5e-8c11-%012d"):format(i), ({ "account", "contact", "lead" })[i % 3 + 1]
  return {
    id = id, projectId = "p", integrationId = "1", installationId = "one",
    configId = "6ad2f5c0-5b52-4b0b-9d0f-1f7c6d1ce8aa", actionType = i % 5 == 0 and "write" or "read",
    status = i % 9 == 0 and "failure" or "success", result = ("[%s] %d records read"):format(object, i),
    createTime = ("2026-11-%02dT10:%02d:00Z"):format(i % 28 + 1, i % 60),
    metadata = { objects = { object }, progress = { objectName = object, operationId = id, recordsProcessed = i } },
  }
end

local function generate_pages(server)
  local json = require "ampersand.json"
  local place = server.directory .. "/www/v1/projects/p/integrations/paged/installations/one/operations"
  assert(os.execute("mkdir -p " .. place))
  for page = 1, PAGES do
    local file = assert(io.open(("%s/page%s.json"):format(place, page == 1 and "" or page), "w"))
    local results = json.array {}
    for i = 1, PER_PAGE do results[i] = operation((page - 1) * PER_PAGE + i) end
    local more = page < PAGES
    file:write(json.encode {
      results = results, pagination = { done = not more, nextPageToken = more and tostring(page + 1) or nil },
    })
    file:close()
  end
end

local function bundle(server)
  local path = server.directory .. "/bundle.pem"
  output_of(("cat /etc/ssl/certs/ca-certificates.crt %s/ca.pem > %s 2>/dev/null"):format(server.directory, path))
  return path
end

-- The settings that name all authorities of the system, and the server's own, as the system's: a hashed directory and a
-- bundle.
local function defaults(server, trust)
  local place = server.directory .. "/authorities"
  output_of(("mkdir %s; ln -s /etc/ssl/certs/*.0 %s/hashed/* %s"):format(place, server.directory, place))
  return ("unset CURL_CA_BUNDLE; SSL_CERT_DIR=%s SSL_CERT_FILE=%s"):format(place, trust)
end

local function measure_all(server)
  local hashed, trust = server.directory .. "/hashed", bundle(server)
  local function arguments(port, n) return { (server:url("", port):gsub("/$", "")), n, hashed, trust } end
  local function limit(port, n, times, together)
    return ("%s %s %d %s"):format(server:url(("v1/projects/p/integrations/%d/installations"):format(n), port),
      times or 1, together or 1, hashed)
  end
  for _, n in ipairs { 0, 1, 10000, 100000 } do generate(server, n) end
  generate_pages(server)

  print(("%-52s %10s %10s %10s %6s"):format("", "ours", "rival", "limit", "ratio"))
  show("bare Lua", "wall ms", "wall", measure, "nothing", {}, 20)
  show("require ampersand (rival: cjson)", "wall ms", "wall", measure, "require", {}, 20)
  for _, way in ipairs { { "http", "plain" }, { "https", "tls" } } do
    show("cold start + 1 installation, " .. way[1], "wall ms", "wall", measure, "one", arguments(way[2], 1), 20,
      limit(way[2], 1))
  end
  local default = arguments("tls", 1)
  default[3], default.environment = "", defaults(server, trust)
  show("cold start + 1 installation, https, system's authorities", "wall ms", "wall", measure, "one", default, 20)
  for _, way in ipairs { { 1, "small request" }, { 0, "empty list" } } do
    local n, what = way[1], way[2]
    show("warm " .. what, "thousand instructions", "instructions", instructions, arguments("plain", n),
      limit("plain", n, TIMES))
    local warm = arguments("plain", n)
    warm[5] = 5000
    show(("5,000 warm %ss"):format(what), "wall ms", "wall", measure, "many", warm, 3, limit("plain", n, 5000))
  end
  local first_page = server:url("v1/projects/p/integrations/paged/installations/one/operations", "tls")
  show("50 pages of 200 operations in turn, https", "wall ms", "wall", measure, "pages", arguments("tls", "paged"), 9,
    ("%s %d 1 %s"):format(first_page, PAGES, hashed))
  for _, way in ipairs { { "HTTP/1", "tls" }, { "HTTP/2", "h2" } } do
    show("50 at once, https, " .. way[1], "wall ms", "wall", measure, "at_once", arguments(way[2], 1), 5,
      limit(way[2], 1, 1, 50))
  end
  show("list 10,000", "CPU ms", "cpu", measure, "list", arguments("plain", 10000), 5, limit("plain", 10000))
  show("each 10,000", "CPU ms", "cpu", measure, "each", arguments("plain", 10000), 5, limit("plain", 10000))
  show("each 10,000 with where and select", "CPU ms", "cpu", measure, "filter", arguments("plain", 10000), 5)
  local all
  local function once(...)
    all = all or measure(...)
    return all
  end
  show("each 100,000", "peak MB", "peak", once, "first", arguments("plain", 100000), 1, limit("plain", 100000))
  show("each 100,000, first installation", "wall ms", "value", once, "first", arguments("plain", 100000), 1)
end

-- A line of 100 Mbit/s is imitated by nginx's limit_rate.
local function measure_slow(server)
  generate(server, 10000)
  local arguments = { (server:url("", "plain"):gsub("/$", "")), 10000, server.directory, server.directory }
  local limit = ("%s 1"):format(server:url("v1/projects/p/integrations/10000/installations", "plain"))
  show("each 10,000, 100 Mbit/s with gzip", "wall ms", "wall", measure, "each", arguments, 2, limit)
end

-- What a server's delay costs many requests at once: nginx's Lua module waits, so that all wait side by side.
local DELAY = 0.05
local DELAYED = [[
ssl_certificate %s/good.pem; ssl_certificate_key %s/good.key; root %s/www; default_type application/json;
rewrite_by_lua_block { ngx.sleep(%g) }
]]

local function measure_delay(server)
  local place = server.directory
  local delayed = openresty.start {
    listen = "ssl http2", server = DELAYED:format(place, place, place, DELAY),
  }
  local base = delayed.url:gsub("^http:", "https:")
  local limit = ("%s/v1/projects/p/integrations/1/installations 1 50 %s/hashed"):format(base, place)
  local all
  local function once()
    all = all or measure("at_once", { base, 1, place .. "/hashed", bundle(server) }, 9, limit)
    return all
  end
  local work = ("50 at once, HTTP/2, a server that takes %g ms"):format(DELAY * 1e3)
  show(work, "wall ms", "wall", once)
  show(work .. ", without the start", "wall ms", "value", once)
  delayed:stop()
end

local function with_server(options, f)
  local server = nginx.start(options)
  local ok, message = xpcall(function() f(server) end, debug.traceback)
  server:stop()
  if not ok then os.execute("rm -rf " .. directory) end
  assert(ok, message)
end

with_server({}, function(server)
  measure_all(server)
  measure_delay(server)
end)
with_server({ gzip = true, rate = "12500k" }, measure_slow)
os.execute("rm -rf " .. directory)
rows.write()
