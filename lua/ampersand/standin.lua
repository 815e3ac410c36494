-- A stand-in for the Ampersand API: a server on loopback with a simulated fleet, for demos, tests and specs.
--
--   lua -e 'require("ampersand.standin").main(arg)' x --installations 1000
--
-- Loading this module needs no socket; serving does.

local fleet = require "ampersand.standin.fleet"

local standin = {}

--- The i-th installation of the stand-in's fleet, always the same; the first is the example of the API's page.
---@param i integer at least 1
---@return table installation
standin.installation = fleet.installation

--- Every option of the command line: name, default, and what `--help` says. Numbers stay numbers, `false` is a switch.
standin.options = {
  { "installations", 100, "how many installations the fleet has" },
  { "host", "127.0.0.1", "address to listen on" },
  { "port", 0, "port to listen on; 0 takes a free one" },
  { "key", "standin-key", "the API key that is accepted" },
  { "bearer", "standin-token", "the bearer token that is accepted" },
  { "delay", 0, "seconds to wait before every answer" },
  { "gzip", false, "compress for clients that accept it (needs lua-zlib)" },
  { "length", false, "send lists with Content-Length instead of in chunks" },
  { "exit-on-eof", false, "end when standard input closes" },
}

local function usage()
  local lines = { "Usage: ampersand standin [options]", "", "A stand-in for the Ampersand API on this machine.", "" }
  for _, option in ipairs(standin.options) do
    local name, default, text = option[1], option[2], option[3]
    local value = default ~= false and (type(default) == "number" and " N" or " TEXT") or ""
    local shown = "--" .. name .. value
    lines[#lines + 1] = ("  %-20s %s%s"):format(shown, text, default and (" (%s)"):format(default) or "")
  end
  lines[#lines + 1] = "  --help               show this"
  return table.concat(lines, "\n")
end

local function find_option(name)
  for _, option in ipairs(standin.options) do
    if option[1] == name then return option end
  end
end

-- arg -> options, or nil and what is wrong
local function parse(arg)
  local options, i = {}, 1
  for _, option in ipairs(standin.options) do options[option[1]] = option[2] end
  while arg[i] do
    local name, value = arg[i]:match "^%-%-([%l-]+)=?(.*)$"
    local option = find_option(name)
    if not option then return nil, ("unknown option %q"):format(arg[i]) end
    if option[2] == false then
      options[name] = true
    else
      if not arg[i]:find("=", 1, true) then i, value = i + 1, arg[i + 1] end
      if type(option[2]) == "number" then value = tonumber(value) end
      if not value then return nil, ("--%s needs a %s"):format(name, type(option[2])) end
      options[name] = value
    end
    i = i + 1
  end
  return options
end

--- Opens a stand-in; `server:run()` then serves.
---@param options table the command line's options by name; what is missing has its default
---@return table|nil server with `url`, string message
function standin.open(options)
  local all = {}
  for _, option in ipairs(standin.options) do
    local value = options[option[1]]
    all[option[1]] = value == nil and option[2] or value
  end
  local api = require "ampersand.standin.api".new(all, require "ampersand.standin.store".new(all))
  local server, why = require "ampersand.standin.http".listen {
    host = all.host, port = all.port, stop_on_eof = all["exit-on-eof"],
    handle = function(request) return api:handle(request) end,
  }
  if not server then return nil, why end
  server.url = ("http://%s:%d/v1"):format(all.host, server.port)
  return server
end

--- The command: serves in the foreground until it is killed, or its standard input closes (`--exit-on-eof`).
---@param arg string[]
---@return integer status for os.exit
function standin.main(arg)
  for _, word in ipairs(arg) do
    if word == "--help" or word == "-h" then
      print(usage())
      return 0
    end
  end
  local options, why = parse(arg)
  local server
  if options then server, why = standin.open(options) end
  if not server then
    io.stderr:write("ampersand standin: ", why, "\n", options and "" or "Try --help.\n")
    return options and 1 or 2
  end
  print("listening " .. server.url)
  io.stdout:flush()
  local ok, stopped = pcall(server.run, server)
  server:close()
  if not ok then
    local interrupted = tostring(stopped):find("interrupted", 1, true)
    if not interrupted then io.stderr:write("ampersand standin: ", tostring(stopped), "\n") end
    return interrupted and 130 or 1
  end
  return 0
end

return standin
