-- C programs that have everything inside list installations with no module file on disk.

local machine = require "support.machine"
local mock = require "support.mock"
local starting = require "support.server"

local VERSION = os.getenv "LUA_VERSION" or _VERSION:match "%d%.%d"
local PACKAGE = VERSION == "jit" and "luajit" or "lua" .. VERSION
local HERE = os.getenv "PWD" or "."
local INSTALLATIONS = 500 -- which do not fit into the megabyte of examples/embed/limit.c

-- What a shell prints that runs ordinary programs with ordinary settings, whatever runs the specs.
local function output(command, ...)
  local pipe = assert(io.popen(("{ unset MAKEFLAGS MAKELEVEL VARIANT LD_PRELOAD\n" .. command .. "\n} 2>&1"):format(...)))
  local text = pipe:read "*a"
  pipe:close()
  return text
end

local read = require "support.read_file"

describe("a host that links ampersand statically", function()
  local server, settings

  setup(function()
    server = mock.start { installations = INSTALLATIONS }
    settings = ("export AMP_API_URL=%s AMP_API_KEY=%s"):format(server.url:gsub("/v1$", ""), server.key)
  end)
  teardown(function() server:stop() end)

  local function works(program)
    program = ("'%s' %s integration-123"):format(program, server.project)
    local text = output("%s; cd /; unset LUA_PATH LUA_CPATH; %s; echo; AMP_API_KEY=wrong-key exec %s", settings, program, program)
    local listed, refused = text:match "^(.-\n)\n(.*)$"
    assert.equal(INSTALLATIONS, select(2, listed:gsub("installation%-%S+%s+%a+\n", "")), text:sub(1, 1000))
    assert.truthy(refused:find("401", 1, true), refused)
    assert.is_nil(refused:find("wrong-key", 1, true))
  end

  it("lists installations, also where no file can be found", function()
    assert.is_nil(output("exec make -s embed LUA_VERSION=%s", VERSION):find "error")
    works(("%s/build/%s/embed"):format(HERE, VERSION))
  end)

  -- The line in the head of a program of examples/embed that compiles it.
  local function line_of(name) return read("examples/embed/" .. name .. ".c"):match "\n %* +(cc [^\n]+)" end

  -- Compiles other programs there by their lines, and runs them.
  local function hosts_work(tree)
    local script = { ("%s AMPERSAND_PROJECT_ID=my-project AMPERSAND_INTEGRATION_ID=salesforce PKG_CONFIG_PATH=%s/lib/pkgconfig")
      :format(settings, tree), ("export LUA_PATH='%s/lua/?.lua' LUA_CPATH='%s/build/5.4/?.so'; cd examples/embed"):format(HERE, HERE) }
    for _, name in ipairs { "local", "limit", "sandbox" } do
      script[#script + 1] = line_of(name):gsub("^cc", "cc -Wall -Wextra -Werror"):gsub("%-o " .. name, "-o " .. tree .. "/" .. name)
      script[#script + 1] = ("%s/%s 1000000"):format(tree, name)
    end
    local text = output("%s", table.concat(script, "\n"))
    assert.matches("^installation%-123\thealthy\n", text)
    assert.matches(("list\tfalse\tnot enough memory\ncount\t%d\t[^\n]*\nstream\t%d\tnil\nrequire\tnil\tio\tnil\tos\tnil\n"
      .. "installation%%-123\thealthy\n"):format(INSTALLATIONS, INSTALLATIONS), text)
    assert.matches("404 Not Found", text)
    assert.matches("unknown [^\n]*\"timout\"", text)
    assert.is_nil(text:find(server.key, 1, true))
  end

  it("finds the installed library through pkg-config, as the guide says", function()
    local tree = starting.folder_for_programs()
    finally(function() os.execute("exec rm -rf " .. tree) end) -- luacheck: ignore
    local block = read "docs/embedding.md":match "```sh\n(make install%-static .-)```"
    assert.truthy(block:gsub("examples/embed/", ""):find(line_of "embed", 1, true), "the program itself says the same")
    block = block:gsub("/usr/local", tree):gsub("LUA_VERSION=5%.4", "LUA_VERSION=" .. VERSION):gsub("lua5%.4", PACKAGE)
      :gsub("%-o embed", "-o " .. tree .. "/embed"):gsub("make install", "make -s install")
    assert.equal(require("ampersand.version").number .. "\n", output(
      "export PKG_CONFIG_PATH=%s/lib/pkgconfig\n%s\npkg-config --modversion ampersand-%s", tree, block, PACKAGE))
    works(tree .. "/embed")
    if VERSION == "5.4" then hosts_work(tree) end
  end)

  local function is_one_file(name, compile)
    local program = ("build/%s/amalgamation/%s"):format(VERSION, name)
    assert.equal("", output("exec make -s %s LUA_VERSION=%s COMPILE='%s'", program, VERSION, compile))
    works(HERE .. "/" .. program)
  end

  if os.getenv "LD_PRELOAD" then return end -- a sanitizer does not feel ordinary builds
  it("is one C file and one header", function() is_one_file("gcc", "gcc -std=c99") end)

  if VERSION ~= "5.4" then return end
  it("is one file for clang and for C++, too", function()
    for _, name in ipairs { "clang", "g++" } do
      if not machine.has(name) then pending(machine.absent(name, "apt-get install clang g++")) end
    end
    is_one_file("clang", "clang -std=c11") -- which the macros of newer C libraries need
    is_one_file("g++", "g++ -x c++ -std=c++11")
    is_one_file("clang++", "clang++ -x c++ -std=c++11")
  end)
end)
