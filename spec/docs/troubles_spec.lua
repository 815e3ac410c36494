-- The table of docs/troubleshooting.md: every message is provoked here, and looked for in what really comes.

local ampersand = require "ampersand"
local fault = require "support.fault"
local machine = require "support.machine"
local mock = require "support.mock"

local LUA = os.getenv "LUA" or "lua"
local VERSION = os.getenv "LUA_VERSION" or _VERSION:match "%d%.%d"
local ABI = VERSION == "jit" and "5.1" or VERSION
local OTHER = ABI == "5.1" and "5.4" or "5.1"

-- A sanitizer's library, which is there for this process, is kept from compilers and other Luas; `preloaded` is for those that need it.
local function output(command, preloaded)
  local pipe = assert(io.popen(("unset MAKEFLAGS MAKELEVEL VARIANT %s; exec 2>&1; %s"):format(preloaded and "" or "LD_PRELOAD", command)))
  local text = pipe:read "*a"
  pipe:close()
  return text
end

local function table_of_troubles()
  local file = assert(io.open "docs/troubleshooting.md")
  local region = file:read "*a":match "<!%-%- troubles %-%->\n(.-)<!%-%- /troubles %-%->"
  file:close()
  local rows = {}
  for message in region:gmatch "\n| `([^`]+)` | %S" do rows[#rows + 1] = message end
  return rows
end

describe("the table of troubles", function()
  local server

  setup(function() server = fault.start() end)
  teardown(function() server:stop() end)

  -- What a first call says.
  local function call(options)
    options.project, options.integration, options.retry = "p", "i", false
    options.timeout = 10
    local client = ampersand.new(options)
    local value, err = client.installations:list()
    client:close()
    assert.is_nil(value)
    return tostring(err)
  end

  local function tls(port, more)
    local options = { api_key = "k", base_url = server:url("v1", port), ca_file = server.directory .. "/ca.pem" }
    for name, value in pairs(more or {}) do options[name] = value end
    return call(options)
  end

  local function another_lua()
    local variant = "-beside-" .. VERSION
    local tree = "build/" .. OTHER .. variant
    return output(("make -s %s/ampersand/core.so VARIANT=%s CFLAGS=-O0 LUA_VERSION=%s >&2 "
      .. "&& LUA_CPATH=%s/?.so %s -e 'require \"ampersand.core\"'"):format(tree, variant, OTHER, tree, LUA))
  end

  local function luarocks()
    local copy = os.tmpname()
    os.remove(copy)
    return output(("mkdir %s && cp ampersand-scm-1.rockspec %s && cd %s && luarocks --lua-version %s --tree %s make --deps-mode none "
      .. "CURL_DIR=%s/nowhere CURL_LIBDIR=%s/nowhere; rm -rf %s"):format(copy, copy, copy, ABI, copy, copy, copy, copy))
  end

  local provoke = {
    ["lauxlib.h: No such file or directory"] = function()
      return output "CCACHE_DISABLE=1 exec ${CC:-cc} -Iinclude -fsyntax-only src/lua_core.c"
    end,
    ["You may have to install CURL in your system"] = luarocks,
    ["module 'ampersand.core' not found"] = function()
      return output(("LUA_PATH='lua/?.lua' LUA_CPATH= exec %s -e 'require \"ampersand\"'"):format(LUA))
    end,
    ["undefined symbol: lua_"] = another_lua,
    ["argparse is missing"] = function()
      return output(("LUA_PATH='lua/?.lua' exec %s bin/ampersand"):format(LUA))
    end,
    ["no API key: give"] = function()
      return output(("unset AMP_API_KEY AMPERSAND_API_KEY; exec %s -e '%s'"):format(LUA,
        [[print(require "ampersand".new { project = "p", integration = "i" }.installations:list())]]), true)
    end,
    ["base_url is plain http"] = function()
      return select(2, pcall(ampersand.new, { api_key = "k", base_url = "http://api.example.com/v1" }))
    end,
    ["Could not resolve host"] = function() -- here, not by a proxy of the environment
      return call { api_key = "k", base_url = "https://no-such-host.invalid/v1", http_proxy = "" }
    end,
    ["Failed to connect to"] = function() return call { api_key = "k", base_url = "https://127.0.0.1:1/v1" } end,
    ["unable to get local issuer certificate"] = function() -- another authority than the server's
      return tls("good", { ca_file = server.directory .. "/selfsigned.pem" })
    end,
    ["error setting certificate"] = function() return tls("good", { ca_file = server.directory .. "/missing.pem" }) end,
    ["wrong version number"] = function()
      local plain = mock.start()
      finally(function() plain:stop() end) -- luacheck: ignore
      return call { api_key = "k", base_url = (plain.url:gsub("^http:", "https:")) }
    end,
    ["self-signed certificate"] = function() return tls "selfsigned" end,
    ["certificate has expired"] = function() return tls "expired" end,
    ["no alternative certificate subject name matches"] = function() return tls "wronghost" end,
    ["the proxy answered CONNECT with status"] = function()
      return call { api_key = "k", base_url = "https://status407.invalid/v1", http_proxy = server:url "" }
    end,
    ["the client's key is encrypted"] = function()
      return tls("client", { client_cert = server.directory .. "/client.pem", client_key = server.directory .. "/encrypted.key" })
    end,
    ["could not load PEM client certificate"] = function()
      return tls("client", { client_cert = server.directory .. "/missing.pem", client_key = server.directory .. "/client.key" })
    end,
  }

  local rows = table_of_troubles()

  it("has them all", function()
    local listed = {}
    for _, message in ipairs(rows) do listed[message] = true end
    assert.is_true(#rows >= 10)
    for message in pairs(provoke) do assert.is_true(listed[message], message) end
  end)

  for _, message in ipairs(rows) do
    it("knows: " .. message, function()
      if provoke[message] == luarocks and not machine.has "luarocks" then pending(machine.absent("luarocks", "apt-get install luarocks")) end
      if provoke[message] == another_lua and not machine.succeeds("pkg-config --exists lua" .. OTHER) then
        pending(machine.absent("another Lua", ("apt-get install lua%s liblua%s-dev"):format(OTHER, OTHER)))
      end
      local text = provoke[message]()
      assert.truthy(text:find(message, 1, true), text)
    end)
  end
end)
