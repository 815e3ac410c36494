-- C programs that have everything inside list installations with no module file on disk.

local machine = require "support.machine"
local mock = require "support.mock"

local VERSION = os.getenv "LUA_VERSION" or _VERSION:match "%d%.%d"
local PACKAGE = VERSION == "jit" and "luajit" or "lua" .. VERSION
local PLAIN = "env -u MAKEFLAGS -u MAKELEVEL -u VARIANT -u LD_PRELOAD "

local function output(command)
  local pipe = assert(io.popen("{ " .. command .. "\n} 2>&1"))
  local text = pipe:read "*a"
  pipe:close()
  return text
end

describe("a host that links ampersand statically", function()
  local server

  setup(function() server = mock.start { installations = 3000 } end)
  teardown(function() server:stop() end)

  local function works(program)
    local command = "cd / && env -u LUA_PATH -u LUA_CPATH -u LD_PRELOAD AMP_API_URL=%s AMP_API_KEY=%s %s %s integration-123"
    local text = output(command:format(server.url:gsub("/v1$", ""), server.key, program, server.project))
    assert.equal(3000, select(2, text:gsub("installation%-%S+%s+%a+\n", "")), text:sub(1, 1000))
    text = output(command:format(server.url:gsub("/v1$", ""), "wrong-key", program, server.project))
    assert.truthy(text:find("401", 1, true), text)
    assert.is_nil(text:find("wrong-key", 1, true))
  end

  it("lists installations, also where no file can be found", function()
    local text = output(PLAIN .. "make -s embed LUA_VERSION=" .. VERSION)
    assert.is_nil(text:find "error", text)
    works(("%s/build/%s/embed"):format(os.getenv "PWD" or ".", VERSION))
  end)

  -- Compiles a program of examples/embed by the line in its head, and runs it.
  local function host(tree, name, arguments)
    local file = assert(io.open("examples/embed/" .. name .. ".c"))
    local line = file:read "*a":match "\n %* +(cc [^\n]+)"
    file:close()
    local text = output(("cd examples/embed && PKG_CONFIG_PATH=%s/lib/pkgconfig && export PKG_CONFIG_PATH && %s"):format(tree,
      line:gsub("^cc", "cc -Wall -Wextra -Werror"):gsub("%-o " .. name, "-o " .. tree .. "/" .. name)))
    assert.equal("", text)
    return output(("env -u LD_PRELOAD LUA_PATH='%s/lua/?.lua' LUA_CPATH='%s/build/5.4/?.so' AMP_API_URL=%s AMP_API_KEY=%s "
      .. "AMPERSAND_PROJECT_ID=my-project AMPERSAND_INTEGRATION_ID=salesforce %s/%s %s"):format(os.getenv "PWD",
      os.getenv "PWD", server.url:gsub("/v1$", ""), server.key, tree, name, arguments or ""))
  end

  local function hosts_work(tree)
    local text = host(tree, "embed", "my-project salesforce")
    assert.matches("^installation%-123%s+healthy\n", text)
    text = host(tree, "local")
    assert.matches("^installation%-123\thealthy\n", text)
    text = host(tree, "limit", 1000000)
    assert.matches("list\tfalse\tnot enough memory\ncount\t3000\t.*\nstream\t3000\tnil\n$", text)
    text = host(tree, "sandbox")
    assert.matches("^require\tnil\tio\tnil\tos\tnil\ninstallation%-123\thealthy\n", text)
    assert.matches("404 Not Found", text)
    assert.matches("unknown [^\n]*\"timout\"", text)
    assert.is_nil(text:find(server.key, 1, true))
  end

  it("finds the installed library through pkg-config, as the guide says", function()
    local tree = os.tmpname()
    os.remove(tree)
    finally(function() os.execute("rm -rf " .. tree) end) -- luacheck: ignore
    local file = assert(io.open "docs/embedding.md")
    local block = file:read "*a":match "```sh\n(make install%-static .-)```"
    file:close()
    local version = VERSION == "jit" and "LUA_VERSION=jit" or "LUA_VERSION=" .. VERSION
    block = block:gsub("/usr/local", tree):gsub("LUA_VERSION=5%.4", version):gsub("lua5%.4", PACKAGE)
      :gsub("%-o embed", "-o " .. tree .. "/embed"):gsub("make install", "make -s install")
    local text = output(("export PKG_CONFIG_PATH=%s/lib/pkgconfig; unset MAKEFLAGS MAKELEVEL VARIANT LD_PRELOAD\n%s"):format(
      tree, block))
    assert.equal("", text)
    text = output(("PKG_CONFIG_PATH=%s/lib/pkgconfig pkg-config --modversion ampersand-%s"):format(tree, PACKAGE))
    assert.equal(require("ampersand.version").number .. "\n", text)
    works(tree .. "/embed")
    if VERSION == "5.4" then hosts_work(tree) end
  end)

  local function is_one_file(name, compile)
    local program = ("build/%s/amalgamation/%s"):format(VERSION, name)
    local text = output(PLAIN .. ("make -s %s LUA_VERSION=%s COMPILE='%s'"):format(program, VERSION, compile))
    assert.equal("", text)
    works((os.getenv "PWD" or ".") .. "/" .. program)
  end

  if os.getenv "LD_PRELOAD" then return end -- a sanitizer does not feel ordinary builds
  it("is one C file and one header", function() is_one_file("gcc", "gcc -std=c99") end)

  if VERSION ~= "5.4" then return end
  it("is one file for clang and for C++, too", function()
    for _, name in ipairs { "clang", "g++" } do
      if not machine.has(name) then pending(machine.absent(name, "apt-get install clang g++")) end
    end
    is_one_file("clang", "clang -std=c99")
    is_one_file("g++", "g++ -x c++ -std=c++11")
    is_one_file("clang++", "clang++ -x c++ -std=c++11")
  end)
end)
