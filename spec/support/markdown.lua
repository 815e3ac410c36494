-- Runs the code blocks of a Markdown file, in the order of the document, against the mock server:
--   lua      the blocks of a document are one program
--   console  each "$ " line is run, and prints what stands below it
--   sh       run as a script; what it exports holds for what follows
-- A comment directly above a block says what else is to be known: `<!-- until interrupted -->` for what goes on by itself
-- (a server, a watch), `<!-- in nginx -->`, `<!-- output -->` above a text block for what the Lua block before it prints, or
-- `<!-- not run: why -->`.

local assert = require "luassert"
local certificates = require "support.certificates"
local command = require "support.command"
local in_process = require "support.in_process"
local lfs = require "lfs"
local machine = require "support.machine"
local nginx = require "support.openresty"
local server = require "support.server"
local socket = require "socket"
local mock = require "support.mock"

local markdown = {}

local VERSION = os.getenv "LUA_VERSION" or _VERSION:match "%d%.%d"
-- What installs, builds for the Lua it names: once is enough, and no sanitizer belongs there.
local INSTALLS = VERSION == "5.4" and not os.getenv "LD_PRELOAD"
local KINDS = { lua = true, console = true, sh = true }

local function write(path, text)
  local file = assert(io.open(path, "w"))
  file:write(text)
  file:close()
end

-- { { kind, text, line, mark }… }
local function blocks_of(lines)
  local blocks, block, fence, above = {}, nil, nil, ""
  for number, line in ipairs(lines) do
    local marks, kind = line:match "^%s*([`~][`~][`~]+)%s*(.*)$"
    if block and marks and marks:sub(1, #fence) == fence and kind == "" then
      block.text, block = table.concat(block, "\n") .. "\n", nil
    elseif block then
      block[#block + 1] = line
    elseif marks then
      block, fence = { kind = kind, line = number, mark = above:match "^<!%-%- (.-) %-%->$" }, marks
      blocks[#blocks + 1] = block
    end
    above = line
  end
  return blocks, block
end

-- Why a block would not be run, or nil.
local function objection(block)
  if not block.text then return "has no end" end
  if block.mark and block.mark:find "^not run: %S+ %S+" then return nil end
  if block.mark == "output" and block.kind == "text" then return nil end
  if not KINDS[block.kind] then return ("is of kind '%s', which nothing runs"):format(block.kind) end
  local known = { ["until interrupted"] = true, ["in nginx"] = block.kind == "lua" }
  if block.mark and not known[block.mark] then return "has a mark that means nothing: " .. block.mark end
end

-- --- a document's place ----------------------------------------------------------------------

local Place = {}
Place.__index = Place

-- What the documents of a spec file share: a copy of the project, where only what is built is not copied, and a mock server.
local copy, mocked

-- The entries of a folder of the project.
local function entries(folder)
  local names = {}
  for name in lfs.dir(folder) do
    if name:find "^%w" or name == ".ci" or name == ".luacheckrc" then names[#names + 1] = name end
  end
  return names
end

local function share()
  if copy then return end
  copy, mocked = server.folder_for_programs(), mock.start { installations = 200, read_seconds = 1e-4 }
  lfs.mkdir "build"
  local names = {}
  for _, name in ipairs(entries ".") do names[#names + 1] = name ~= "build" and name or nil end
  assert(machine.succeeds(("unset LD_PRELOAD; exec cp -pR %s %s"):format(table.concat(names, " "), copy)))
  assert(lfs.link(lfs.currentdir() .. "/build", copy .. "/build", true))
end

-- An OpenResty whose LuaJIT is the system's.
local OPENRESTY = [[command -v luajit >/dev/null || exit 0; mkdir -p {home}/usr/openresty/luajit/bin {home}/usr/openresty/luajit/include
  ln -s "$(command -v luajit)" {home}/usr/openresty/luajit/bin/luajit
  ln -s "$(pkg-config --variable=includedir luajit)" {home}/usr/openresty/luajit/include/luajit-2.1]]

-- What luarocks compiles need not be fast.
local LUAROCKS = 'local_by_default = true\nvariables = { CFLAGS = "-O0 -fPIC" }\n'

-- The folder in which a document's commands run: what they make there no other document finds.
local function new_place(path)
  local session = command.session(mocked)
  local home, env = session.home, session.env
  lfs.mkdir(home .. "/project")
  lfs.mkdir(home .. "/.luarocks")
  for _, name in ipairs(entries(copy)) do assert(lfs.link(copy .. "/" .. name, home .. "/project/" .. name, true)) end
  if command.read(path):find("openresty/luajit", 1, true) then
    assert(machine.succeeds((OPENRESTY:gsub("{home}", home))))
    certificates.make(home)
    env.SSL_CERT_FILE = home .. "/ca.pem" -- nginx reads the system's authorities once for each location: 30 ms each time
  end
  env.XDG_CONFIG_HOME, env.AMPERSAND_PROJECT_ID, env.AMPERSAND_INTEGRATION_ID = false, false, false
  env.PREFIX, env.SPECS, env.LUA_VERSION = home .. "/usr", "spec/docs/options_page_spec.lua", VERSION
  env.PKG_CONFIG_PATH = home .. "/usr/lib/pkgconfig"
  local ports = nginx.free_ports(2)
  env.PORT = ports[1]
  write(home .. "/exports", "")
  for _, abi in ipairs { "5.1", "5.4" } do write(("%s/.luarocks/config-%s.lua"):format(home, abi), LUAROCKS) end
  return setmetatable({ session = session, home = home, ports = ports, running = {}, exported = {} }, Place)
end

-- Calls f in the folder of the document's commands.
function Place:within(f, ...)
  local here = lfs.currentdir()
  assert(lfs.chdir(self.home .. "/project"))
  local ok, result = pcall(f, ...)
  lfs.chdir(here)
  if not ok then error(result, 0) end
  return result
end

-- Runs the command that a line begins with in this process, if words are all it has. What follows it, a pipe or `; echo $?`,
-- is run by a shell, in which the command is what has come.
function Place:call(line)
  if line:find "%d>" or select(2, line:gsub("%f[%w]ampersand ", "")) ~= 1 then return nil end
  for at in (line .. "\n"):gmatch "()%s*[|;>\n]" do
    local given = { together = at > #line }
    local result = self:within(self.session.try, self.session, line:sub(1, at - 1), self.exported, nil, given)
    if result and given.together then return result end
    if result then
      local command_again = "ampersand() { printf %%s %s; printf %%s %s >&2; return %d; }\n"
      return nil, command_again:format(command.quote(result.out), command.quote(result.err), result.code)
    end
  end
end

-- The document's words with this machine's ports and paths; its mock server takes no second for a read.
function Place:adapt(text)
  local objects = os.getenv "LUA_CPATH":match "build/[^/]+/"
  text = text:gsub("%-%-port 8080", "%0 --read-seconds 1e-4"):gsub('"%-%-port", "8080"', '%0, "--read-seconds", "1e-4"')
  text = text:gsub("8080", self.ports[1]):gsub("8081", self.ports[2]):gsub("/usr/local", self.home .. "/usr")
  return (text:gsub("build/5%.4/", objects):gsub("%f[%w]lua5%.4 ", '"$interpreter" '))
end

-- What a program wrote with the document's words for that; and what no two runs have in common is left out.
function Place:settle(text)
  text = text:gsub("127%.0%.0%.1:" .. self.ports[1], "127.0.0.1:8080"):gsub(self.home:gsub("%p", "%%%0"), "~")
  return (text:gsub("%d+ earlier, %d+ done", "N earlier, N done"):gsub("state=%w+", "state=…"))
end

-- The command as if it were installed; the project's files are found only where the document says so.
local PRELUDE = [[
unset MAKEFLAGS MAKELEVEL MAKEOVERRIDES VARIANT RUNNER
cd "$HOME/project" || exit 1
interpreter=$LUA installed_path=$LUA_PATH installed_cpath=$LUA_CPATH
ampersand() { LUA_PATH=$installed_path LUA_CPATH=$installed_cpath "$interpreter" bin/ampersand "$@"; }
program() { LUA_PATH=${LUA_PATH-$installed_path} LUA_CPATH=${LUA_CPATH-$installed_cpath} "$interpreter" "$@"; }
unset LUA LUA_PATH LUA_CPATH
. "$HOME/exports"
]]

function Place:script(text)
  return PRELUDE .. "set -e\n" .. text
end

function Place:run(text)
  return self.session:run(self:script(text))
end

-- Starts what goes on until it is interrupted; it ends by itself if it is not interrupted.
function Place:start(text, where)
  local name = ("%s/running%d"):format(self.home, #self.running + 1)
  write(name .. ".sh", self.session:prelude() .. self:script(text))
  local pipe = assert(io.popen(("echo $$ >%s.pid; exec timeout -s INT 180 sh %s.sh >%s.out 2>&1"):format(name, name, name), "w"))
  local one = { pipe = pipe, name = name, where = where, since = socket.gettime() }
  server.await(10, function()
    one.pid = tonumber(command.read(name .. ".pid"):match "^(%d+)\n")
    return one.pid
  end)
  table.insert(self.running, one)
  return one
end

-- Waits until it has said something, or has gone on for some seconds, or has ended; says whether it goes on.
local function goes_on(one, seconds)
  server.await(one.since + seconds - socket.gettime(), function()
    return command.read(one.name .. ".out") ~= "" or not server.alive(one.pid)
  end)
  return server.alive(one.pid)
end

-- Ends what still goes on, as Ctrl-C does, and returns what has ended by itself. A server that waits for connections
-- notices the interrupt after half a second, or when one comes.
function Place:interrupt()
  local ended = {}
  while self.running[1] do
    local one = table.remove(self.running)
    if goes_on(one, 1) then
      os.execute("kill -INT " .. one.pid)
      for _, port in ipairs(self.ports) do server.listens(port) end
    else
      ended[#ended + 1] = one.where .. " ended by itself:\n" .. command.read(one.name .. ".out")
    end
    one.pipe:close()
  end
  return table.concat(ended, "\n")
end

function Place:close()
  self:interrupt()
  self.session:close()
end

-- --- the kinds -------------------------------------------------------------------------------

-- { { command, expected output }… }; what is left running with `&` belongs to the next command.
local function steps_of(text)
  local list = {}
  for line in text:gmatch "([^\n]*)\n" do
    local typed = line:match "^%$ (.*)$"
    if typed and list[1] and list[#list][1]:find "&$" then
      list[#list][1] = list[#list][1] .. "\n" .. typed
    elseif typed then
      list[#list + 1] = { typed, "" }
    else
      list[#list][2] = list[#list][2] .. line .. "\n"
    end
  end
  return list
end

local run = {}

function run.console(place, block)
  for _, step in ipairs(steps_of(block.text)) do
    local typed = place:adapt(step[1])
    local result, before = place:call(typed)
    result = result or place.session:run(PRELUDE .. (before or "") .. "{ " .. typed .. "\n} 2>&1")
    assert.equal(place:settle(step[2]), place:settle(result.out), step[1])
  end
end

function run.sh(place, block, where)
  if block.mark then return goes_on(place:start(place:adapt(block.text), where), 30) end
  local result = place:run(place:adapt(block.text) .. 'export -p > "$HOME/exports"\n')
  assert.equal(0, result.code, where .. "\n" .. result.out .. result.err)
  for name, _, value in command.read(place.home .. "/exports"):gmatch "export ([%w_]+)=(['\"])(.-)%2\n" do
    place.exported[name] = value
  end
end

-- The program of a document's Lua blocks, in this process.
local function run_lua(place, blocks, path)
  local program, expected = {}, {}
  for _, block in ipairs(blocks) do
    if block.mark == "output" then
      expected[#program] = block
    else
      program[#program + 1] = block.text:gsub("127%.0%.0%.1:8080", "127.0.0.1:" .. place.ports[1])
    end
  end
  -- A form feed ends what one block prints.
  local output = place:within(in_process.program, table.concat(program, 'io.write "\\f"\n'), "@" .. path,
    place.session:getenv(place.exported))
  local printed = {}
  for text in (output .. "\f"):gmatch "([^\f]*)\f" do printed[#printed + 1] = text end
  for i, block in pairs(expected) do
    assert.equal(place:settle(block.text), place:settle(printed[i]), ("%s:%d"):format(path, block.line))
  end
end

-- Each line in the phase that its comment names, those without one in init_by_lua.
local function run_in_nginx(block, where)
  local phases = { init = {}, access = {}, content = {} }
  for line in block.text:gmatch "[^\n]+" do
    local phase = line:match "%-%- (%l+)_by_lua$" or line:find "%-%- anywhere$" and "content" or "init"
    table.insert(phases[phase], line)
  end
  local running = nginx.start {
    http = ([[
      lua_shared_dict ampersand 1m;
      init_by_lua_block {
        ampersand = require "ampersand"
        client = ampersand.new { base_url = "%s", api_key = "%s", project = "my-project", integration = "hubspot" }
        %s
      }
    ]]):format(mocked.url, mocked.key, table.concat(phases.init, "\n"):gsub("10%.0%.0%.5", "127.0.0.1")),
    server = ([[
      location = /gated {
        access_by_lua_block {
          local team = ngx.var.arg_team
          %s
        }
        content_by_lua_block {
          local team = ngx.var.arg_team
          %s
          ngx.print(verdict and verdict.state or "passed")
        }
      }
    ]]):format(table.concat(phases.access, "\n"), table.concat(phases.content, "\n")),
  }
  mocked:control("installations", { ids = { "installation-0000202" }, set = { healthStatus = "unhealthy" } })
  local healthy, body = running:ask "/gated?team=group-0000201"
  local unhealthy = running:ask "/gated?team=group-0000202"
  local log = running:log()
  running:stop()
  assert.same({ 200, phases.access[1] and 503 or 200 }, { healthy, unhealthy }, where .. body .. log)
  assert.is_nil(log:match "%[error%][^\n]*", where .. log)
end

-- --- the documents ---------------------------------------------------------------------------

local function installs(block)
  return block.kind == "sh" and (block.text:find "%f[%w]make " or block.text:find "%f[%w]luarocks ")
end

-- What a block needs and this machine lacks, or nil.
local function absence(path, block)
  if not INSTALLS or block.kind ~= "sh" then return nil end
  if block.text:find "%f[%w]luarocks " and not machine.has "luarocks" then
    return machine.absent("luarocks", "apt-get install luarocks")
  end
  if path:find "nginx" then return nginx.missing_module() end
end

local function run_document(place, path, blocks)
  local programs, absent = {}, nil
  for _, block in ipairs(blocks) do
    local where = ("%s:%d"):format(path, block.line)
    if block.mark and block.mark:find "^not run: " then -- luacheck: ignore 542
    elseif block.mark == "in nginx" then
      local lacks = VERSION == "jit" and (nginx.missing_module() or block.text:find "redis" and nginx.missing_redis())
      absent = lacks or absent
      if VERSION == "jit" and not lacks then run_in_nginx(block, where) end
    elseif block.kind == "lua" and block.mark == "until interrupted" then -- a program of its own, with the first block alone
      write(place.home .. "/forever.lua", place:adapt(programs[1].text .. block.text))
      place:start('program "$HOME/forever.lua"\n', where)
    elseif block.kind == "lua" or block.mark == "output" then
      programs[#programs + 1] = block
    elseif absence(path, block) then
      absent = absence(path, block)
    elseif INSTALLS or not installs(block) then
      run[block.kind](place, block, where)
    end
  end
  if programs[1] then run_lua(place, programs, path) end
  assert.equal("", place:interrupt())
  return absent
end

--- The project's Markdown files.
---@return string[] paths
function markdown.documents()
  local pipe, paths = assert(io.popen "exec find . -name build -prune -o -name '*.md' -print"), {}
  for path in pipe:lines() do paths[#paths + 1] = path:gsub("^%./", "") end
  pipe:close()
  table.sort(paths)
  return paths
end

--- The code blocks of a text in lines.
---@return table[] blocks { kind, text, line, mark }
---@return table? open the one that has no end
markdown.blocks_of, markdown.objection = blocks_of, objection

--- The code blocks of a file.
function markdown.blocks(path)
  local lines = {}
  for line in io.lines(path) do lines[#lines + 1] = line end
  return blocks_of(lines)
end

-- Whether something of a document is run. What only commands do is done for one Lua: spec/cli runs them with each.
local function runs(blocks)
  for _, block in ipairs(blocks) do
    if (VERSION == "5.4" or block.kind == "lua") and not (block.mark and block.mark:find "^not run: ") then return true end
  end
  return false
end

--- Runs the blocks of a file.
---@param path string
---@return boolean ran
---@return string? absent what this machine lacks for some of them
function markdown.run(path)
  local blocks = markdown.blocks(path)
  if not runs(blocks) then return true end
  share()
  local place = new_place(path)
  local ok, result = pcall(run_document, place, path, blocks)
  place:close()
  if not ok then error(result, 0) end
  return true, result
end

--- Removes what the documents of a spec file have shared.
function markdown.close()
  if not copy then return end
  mocked:stop()
  server.remove(copy)
  copy = nil
end

return markdown
