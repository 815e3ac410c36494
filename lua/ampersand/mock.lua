--- A mock server for the Ampersand API: a server on loopback with a simulated fleet, for demos, tests and specs.
--
--   lua -e 'require("ampersand.mock").main { "--installations", "1000" }'
--
-- Loading this module needs no socket; serving does.

local faults = require "ampersand.mock.faults"
local fixtures = require "ampersand.mock.fixtures"
local is_interrupt = require "ampersand.util.is_interrupt"

local mock = {}

--- The i-th installation of the mock server's fleet, always the same; the first is the example of the API's page.
---@param i integer at least 1
---@return table installation
mock.installation = fixtures.installation

--- Every option of the command line: name, default, and what `--help` says. `false` makes a switch. A number is whole
--- (but for a `fraction`), from 0 to `most`.
mock.options = {
  { "installations", 100, "number of installations" },
  { "host", "127.0.0.1", "address to listen on" },
  { "port", 0, "port to listen on; 0 takes a free one", most = 65535 },
  { "key", "mock-key", "the API key that is accepted" },
  { "bearer", "mock-token", "the bearer token that is accepted" },
  { "fault", "", "a fault to inject, see below; may be given several times" },
  { "gzip", false, "compress for clients that accept it (needs lua-zlib)" },
  { "length", false, "send lists with Content-Length instead of in chunks" },
  { "read-seconds", 1, "how long a triggered read takes", fraction = true },
  { "fail-reads", false, "make triggered reads fail halfway" },
  { "log", 1000, "how many requests /__mock/requests lists at most" },
  { "exit-on-eof", false, "end when standard input closes" },
}

local TYPES = { number = " N", string = " TEXT", boolean = "" }
local LINE = "  %-20s %s"

local function usage()
  local lines = {
    "Usage: ampersand mock [options]", "",
    "A mock server for the Ampersand API on this machine: project my-project (project-456), integration",
    "salesforce (integration-123) with the fleet, integration hubspot (integration-124) with three more.", "",
  }
  local function add(...) lines[#lines + 1] = LINE:format(...) end
  for _, option in ipairs(mock.options) do
    local name, default, text = option[1], option[2], option[3]
    add("--" .. name .. TYPES[type(default)], text .. (default and default ~= "" and (" (%s)"):format(default) or ""))
  end
  add("--help", "show this\n")
  local names = {}
  for name in pairs(faults.presets) do names[#names + 1] = name end
  table.sort(names)
  lines[#lines + 1] = "A fault is one of " .. table.concat(names, " ") .. ", or words joined by commas,"
  lines[#lines + 1] = "such as --fault on=listInstallations,status=503,next=2:"
  for _, word in ipairs(faults.words) do add(word[1] .. TYPES[word[2]]:gsub(" ", "="), word[3]) end
  return table.concat(lines, "\n")
end

local function expected(option)
  if type(option[2]) == "string" then return "text" end
  if option.most then return "whole number from 0 to " .. option.most end
  return (option.fraction and "number" or "whole number") .. " of at least 0"
end

-- The value of an option in the type of its default; nil where it does not fit.
local function read_value(option, text)
  if type(option[2]) == "string" then return text end
  local number = tonumber(text)
  local fits = number and number >= 0 and number <= (option.most or 2 ^ 53) and (option.fraction or number % 1 == 0)
  return fits and number or nil
end

-- arg -> options, or nil and a message
local function parse(arg)
  local known, options, i = {}, {}, 1
  for _, option in ipairs(mock.options) do known[option[1]] = option end
  while arg[i] do
    local name, sign, text = arg[i]:match "^%-%-([%l-]+)(=?)(.*)$"
    local option = known[name]
    if not option then return nil, ("unknown option %q"):format(arg[i]) end
    if option[2] == false then
      if sign == "=" then return nil, ("--%s takes no value"):format(name) end
      options[name] = true
    else
      if sign == "" then i, text = i + 1, arg[i + 1] end
      local value = read_value(option, text)
      if not value then
        text = text and ("%q"):format(text) or "nothing"
        return nil, ("--%s needs a %s, not %s"):format(name, expected(option), text)
      end
      options[name] = name == "fault" and options.fault and options.fault .. ";" .. value or value
    end
    i = i + 1
  end
  return options
end

-- All options, missing ones with their defaults; or nil and a message.
local function complete(options)
  local all = { faults = {} }
  for _, option in ipairs(mock.options) do
    local value = options[option[1]]
    if value == nil then value = option[2] end
    all[option[1]] = value
  end
  if all.gzip and not pcall(require, "zlib") then return nil, "--gzip needs lua-zlib" end
  for part in all.fault:gmatch "[^;]+" do
    local fault, why = faults.parse(part)
    if not fault then return nil, why end
    table.insert(all.faults, fault)
  end
  return all
end

--- Opens a mock server; `server:run()` then serves.
---@param options table options of the command line by name; missing ones have their defaults
---@return table|nil server with `url`, string message
function mock.open(options)
  local all, why = complete(options)
  if not all then return nil, why end
  local router = require "ampersand.mock.router".new(all, require "ampersand.mock.store".new(all))
  local server
  server, why = require "ampersand.mock.server".listen {
    host = all.host, port = all.port, stop_on_eof = all["exit-on-eof"],
    handle = function(request) return router:handle(request) end,
  }
  if not server then return nil, why end
  server.url = ("http://%s:%d/v1"):format(all.host, server.port)
  return server
end

local function wants_help(arg)
  for _, word in ipairs(arg) do
    if word == "--help" or word == "-h" then return true end
  end
end

-- Whether the words were printed.
local function say(...)
  local ok, why = io.stdout:write(...)
  if ok then ok, why = io.stdout:flush() end
  if not ok then io.stderr:write("ampersand mock: cannot write the output: ", tostring(why), "\n") end
  return ok
end

-- Serves until it is stopped; Ctrl-C is not a failure.
local function serve(server)
  if not say("listening ", server.url, "\n") then return 1 end
  local ok, stopped = pcall(server.run, server)
  server:close()
  if ok then return 0 end
  if is_interrupt(stopped) then return 130 end
  io.stderr:write("ampersand mock: ", tostring(stopped), "\n")
  return 1
end

--- The command: serves in the foreground until it is killed, or its standard input closes (`--exit-on-eof`).
---@param arg string[]
---@return integer status for os.exit
function mock.main(arg)
  if wants_help(arg) then return say(usage(), "\n") and 0 or 1 end
  local server
  local options, why = parse(arg)
  if options then server, why = mock.open(options) end
  if server then return serve(server) end
  io.stderr:write("ampersand mock: ", why, "\nTry --help.\n")
  return 2
end

return mock
