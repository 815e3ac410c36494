-- Installed by make and by luarocks into an empty tree, the module works from there.

local machine = require "support.machine"

local VERSION = os.getenv "LUA_VERSION" or _VERSION:match "%d%.%d"
local ABI = VERSION == "jit" and "5.1" or VERSION
local LUA = os.getenv "LUA" or "lua"

-- What takes long and differs by no Lua is done for one, and not again under a sanitizer, which ordinary builds do not feel.
local THOROUGH = VERSION == "5.4" and not os.getenv "LD_PRELOAD"

local QUICKLY = " CFLAGS='-O0 -fPIC'" -- compiled, not optimized

-- So is what make compiles, unless a compiler cache has it as make compiles it.
local FLAGS = os.getenv "CCACHE_DIR" and "" or "CFLAGS=-O0"

local function sh(command)
  local name = os.tmpname()
  -- only the installed files may be found, not this checkout; a sanitizer would find the compiler's own leaks
  local clean = "env -u LUA -u LUA_VERSION -u LUA_PATH -u LUA_CPATH -u MAKEFLAGS -u MAKELEVEL -u VARIANT -u LD_PRELOAD " .. FLAGS .. " sh -c '"
  local ok, _, code = os.execute(clean .. command:gsub("'", "'\\''") .. "' >" .. name .. " 2>&1")
  local file = assert(io.open(name))
  local text = file:read "*a"
  file:close()
  os.remove(name)
  return (ok == true or ok == 0), text, code
end

local function lines(command)
  local pipe = assert(io.popen(command))
  local out = {}
  for line in pipe:lines() do out[#out + 1] = line end
  pipe:close()
  table.sort(out)
  return out
end

-- A program that lists through a double, so that both C modules and the Lua layer are used, and libcurl is loaded.
local PROGRAM = [[
local ampersand = require "ampersand"
require "ampersand.http"
require "ampersand.crypto"
local client = ampersand.new { api_key = "k", project = "p", integration = "i",
  transport = function() return { status = 200, body = "[{\"id\":\"a\"},{\"id\":\"b\"}]" } end }
for installation in client.installations:each() do io.write(installation.id) end
io.write(package.loaded["ampersand"] and package.searchpath and package.searchpath("ampersand", package.path) or "")
]]

local function works_from(tree)
  local program = tree .. "/program.lua"
  local file = assert(io.open(program, "w"))
  file:write(PROGRAM)
  file:close()
  local ok, text = sh(("cd %s && LUA_PATH='%s/share/lua/%s/?.lua' LUA_CPATH='%s/lib/lua/%s/?.so' %s program.lua"):format(
    tree, tree, ABI, tree, ABI, LUA))
  assert.is_true(ok, text)
  assert.equal("ab", text:sub(1, 2))
  if #text > 2 then assert.truthy(text:find(tree, 1, true), text) end
end

describe("make install", function()
  local tree

  before_each(function()
    tree = os.tmpname()
    os.remove(tree)
    assert(sh("mkdir " .. tree))
  end)

  after_each(function() sh("rm -rf " .. tree) end)

  it("puts everything below PREFIX, and uninstall takes it away", function()
    local ok, text = sh(("umask 077 && make -s install PREFIX=%s LUA_VERSION=%s"):format(tree, VERSION))
    assert.is_true(ok, text)
    assert.same(lines "cd lua && find . -name '*.lua'", lines(("cd %s/share/lua/%s && find . -type f -perm 644"):format(tree, ABI)))
    assert.same({}, lines(("find %s/share/lua -type d ! -perm 755"):format(tree)))
    works_from(tree)
    ok, text = sh(("make -s uninstall PREFIX=%s LUA_VERSION=%s"):format(tree, VERSION))
    assert.is_true(ok, text)
    os.remove(tree .. "/program.lua")
    assert.same({}, lines("find " .. tree .. " -type f"))
  end)

  it("leaves what another Lua's installation needs, the command included, when one is uninstalled", function()
    local function make(words) assert.is_true(sh(("make -s %s PREFIX=%s LUA_VERSION=%s"):format(words, tree, VERSION))) end
    make "install install-static"
    local other = tree .. "/share/lua/9.9" -- as an installation for another Lua, and its static library, leave them
    assert(sh(("mkdir -p %s && touch %s/ampersand.lua %s/lib/libampersand-lua9.9.a"):format(other, other, tree)))
    local shared = lines(("cd %s && find bin include share -type f ! -path '*/lua/*'"):format(tree))
    assert.equal(6, #shared) -- the command, the header, the manual page, three completions
    make "uninstall"
    assert.same(shared, lines(("cd %s && find bin include share -type f ! -path '*/lua/*'"):format(tree)))
    assert.same({}, lines(("find %s -path '*/lua/%s/*'"):format(tree, ABI)))
    assert(sh(("rm -r %s/share/lua/9.9 %s/lib/libampersand-lua9.9.a"):format(tree, tree)))
    make "uninstall"
    assert.same({}, lines("find " .. tree .. " -type f"))
  end)

  it("gives the command to the Lua that is left", function()
    if not THOROUGH then return end
    for _, version in ipairs { "5.4", "5.3" } do
      if not machine.has("lua" .. version) then pending(machine.absent("Lua 5.3", "apt-get install lua5.3 liblua5.3-dev")) end
    end
    assert(sh(("make -s install PREFIX=%s LUA_VERSION=5.4"):format(tree)))
    assert(sh(("sed -i '1s,.*,#!/usr/bin/env lua5.3,' %s/bin/ampersand && make -s uninstall PREFIX=%s LUA_VERSION=5.3"):format(
      tree, tree)))
    local ok, text = sh(("env -i PATH=$PATH %s/bin/ampersand --version"):format(tree))
    assert.is_true(ok, text)
    assert.truthy(text:find("ampersand " .. require("ampersand.version").number, 1, true), text)
  end)

  if THOROUGH then it("prints what to install where there is no compiler, and fails", function()
    local programs = "find /usr/bin /bin -maxdepth 1 ! -name '*cc*' ! -name '*clang*' ! -name 'c[0-9]*' ! -name 'apt*'"
    sh(("mkdir %s/bin && ln -s $(%s) %s/bin"):format(tree, programs, tree))
    local ok, text = sh(("env PATH=%s/bin make -s install PREFIX=%s/p LUA_VERSION=%s"):format(tree, tree, VERSION))
    assert.is_false(ok, text)
    assert.truthy(text:find("Debian:   apt-get install -y --no-install-recommends gcc libc6-dev", 1, true), text)
    assert.same({}, lines(("find %s/p 2>/dev/null"):format(tree)))
  end) end

  it("honours DESTDIR", function()
    local ok, text = sh(("make -s install DESTDIR=%s PREFIX=/opt/x LUA_VERSION=%s"):format(tree, VERSION))
    assert.is_true(ok, text)
    works_from(tree .. "/opt/x")
  end)
end)

local function read(name)
  local file = assert(io.open(name))
  local text = file:read "*a"
  file:close()
  return text
end

local RELEASE = lines("ls ampersand-[0-9]*.rockspec")[1]

describe("the rockspecs", function()
  local function load_rockspec(name)
    local spec = {}
    local chunk
    if setfenv then -- luacheck: ignore
      chunk = setfenv(assert(loadfile(name)), spec) -- luacheck: ignore
    else
      chunk = assert(loadfile(name, "t", spec))
    end
    chunk()
    return spec
  end

  it("list every Lua file and every C file, each where it belongs", function()
    local spec = load_rockspec "ampersand-scm-1.rockspec"
    local listed, sources, seen = {}, {}, {}
    for module, what in pairs(spec.build.modules) do
      if type(what) == "string" then
        assert.equal(module:gsub("%.", "/") .. ".lua", (what:gsub("^lua/", "")))
        listed[#listed + 1] = what
      else
        for _, source in ipairs(what.sources) do
          if not seen[source] then sources[#sources + 1] = source end -- two modules may have one file each for themselves
          seen[source] = true
        end
      end
    end
    table.sort(listed)
    table.sort(sources)
    assert.same(lines "find lua -name '*.lua'", listed)
    -- lua_preload.c is for the static library
    assert.same(lines "ls src/*.c | grep -v lua_preload.c", sources)
  end)

  it("differ in version and source alone", function()
    local scm, release = load_rockspec "ampersand-scm-1.rockspec", load_rockspec(RELEASE)
    local version = require("ampersand.version").number
    assert.equal(version .. "-1", release.version)
    assert.equal(("ampersand-%s-1.rockspec"):format(version), RELEASE)
    assert.equal(("file://build/ampersand-%s.tar.gz"):format(version), release.source.url)
    release.version, release.source = scm.version, scm.source
    assert.same(scm, release, "make rockspecs")
  end)

  it("are of one version with the header", function()
    local version = require("ampersand.version").number
    assert.equal(version, read "include/ampersand.h":match '#define AMPERSAND_VERSION "(.-)"')
    assert.equal(version, require "ampersand.core".version)
  end)
end)

-- All that a stranger does with `make dist`'s archive, which has nothing of this checkout but what belongs in it.
describe("the source archive", function()
  local function need_luarocks()
    if not machine.has "luarocks" then pending(machine.absent("luarocks", "apt-get install luarocks zip unzip")) end
  end
  local tree, root

  local function luarocks(words)
    local lua_dir = VERSION == "jit" and " LUA_INCDIR=/usr/include/luajit-2.1" or ""
    return sh(("cd %s && luarocks --lua-version %s --tree %s/rocks %s%s"):format(root, ABI, tree, words,
      words:find "^make" and lua_dir .. QUICKLY or ""))
  end

  setup(function()
    tree = os.tmpname()
    os.remove(tree)
    root = tree .. "/" .. RELEASE:gsub("%-1%.rockspec$", "")
    assert(sh(("mkdir %s && make -s dist && tar -xzf build/%s.tar.gz -C %s"):format(tree,
      (RELEASE:gsub("%-1%.rockspec$", "")), tree)))
  end)

  teardown(function() sh("rm -rf " .. tree) end)

  if THOROUGH then it("has what the repository has, and makes itself again, byte for byte", function()
    assert.same({}, lines(("cd %s && find . -name '*.o' -o -name '*.so' -o -name build"):format(root)))
    local ok, text = sh(("cd %s && make -s dist && tar -tzf build/ampersand-*.tar.gz | sort > ../archived"):format(root))
    assert.is_true(ok, text)
    assert.same(lines(("cd %s && find ampersand-* -path '*/build' -prune -o -type f -print"):format(tree)),
      lines(("grep -v '/$' %s/archived"):format(tree)))
    ok, text = sh(("cd %s && chmod -R go-rx . && touch Makefile && umask 077 && make -s dist && cmp build/ampersand-*.tar.gz %s"):format(
      root, ("$OLDPWD/build/" .. RELEASE:gsub("%-1%.rockspec$", "") .. ".tar.gz")))
    assert.is_true(ok, text)
  end) end

  if THOROUGH then it("runs the demonstration", function()
    local ok, text = sh(("make -s -C %s demo"):format(root))
    assert.is_true(ok, text)
    assert.truthy(text:find("25 installations: 2 unhealthy, 23 healthy", 1, true), text)
  end) end

  it("is what luarocks makes a working tree of, and tests with the given Lua", function()
    need_luarocks()
    local ok, text = luarocks("make --deps-mode none " .. RELEASE)
    assert.is_true(ok, text)
    assert.is_nil(text:find("warning: ", 1, true), text)
    works_from(tree .. "/rocks")
    ok, text = sh(("cd / && env -i PATH=$PATH %s/rocks/bin/ampersand --version"):format(tree))
    assert.is_true(ok, text)
    assert.truthy(text:find("ampersand " .. require("ampersand.version").number, 1, true), text)
    if not THOROUGH then return end
    ok, text = luarocks("test " .. RELEASE .. " spec/client/options_spec.lua")
    assert.is_true(ok, text)
    assert.truthy(text:find("build/" .. (VERSION == "jit" and "5.1" or VERSION), 1, true), text)
    assert.truthy(text:find "[1-9]%d* success", text)
  end)

  if THOROUGH then it("becomes a source rock, which installs elsewhere", function()
    need_luarocks()
    local ok, text = sh(("make -s -C %s rock LUA_VERSION=%s"):format(root, VERSION))
    assert.is_true(ok, text)
    assert(sh(("mkdir %s/elsewhere %s/again && mv %s/build/*.src.rock %s/elsewhere"):format(tree, tree, root, tree)))
    ok, text = sh(("unzip -l %s/elsewhere/*.src.rock"):format(tree))
    assert.is_true(ok, text)
    assert.truthy(text:find(".tar.gz", 1, true), text)
    ok, text = sh(("cd %s/elsewhere && luarocks --lua-version 5.4 --tree %s/again install --deps-mode none *.src.rock%s")
      :format(tree, tree, QUICKLY))
    assert.is_true(ok, text)
    works_from(tree .. "/again")
  end) end
end)
