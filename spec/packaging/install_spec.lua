-- Installed by make and by luarocks into an empty tree, the module works from there.

local lfs = require "lfs"
local machine = require "support.machine"
local server = require "support.server"

local VERSION = os.getenv "LUA_VERSION" or _VERSION:match "%d%.%d"
local ABI = VERSION == "jit" and "5.1" or VERSION
local NAME = VERSION == "jit" and "luajit" or "lua" .. VERSION
local LUA = os.getenv "LUA" or "lua"

-- What takes long and differs by no Lua is done for one, and not again under a sanitizer, which ordinary builds do not feel.
local THOROUGH = VERSION == "5.4" and not os.getenv "LD_PRELOAD"

local QUICKLY = " CFLAGS=-fPIC" -- compiled, not optimized

-- So is what make compiles, unless a compiler cache has it as make compiles it.
local FLAGS = os.getenv "CCACHE_DIR" and "" or "export CFLAGS=-O0\n"

-- Runs a command of the shell. Only the installed files may be found, not this checkout; a sanitizer would find the
-- compiler's own leaks.
local function sh(command, ...)
  local pipe = assert(io.popen(("( unset LUA LUA_VERSION LUA_PATH LUA_CPATH MAKEFLAGS MAKELEVEL VARIANT LD_PRELOAD\n"
    .. FLAGS .. command .. "\n) 2>&1; echo :$?"):format(...)))
  local text, code = pipe:read("*a"):match "^(.*):(%d+)\n$"
  pipe:close()
  return code == "0", text
end

local function succeeds(...)
  local ok, text = sh(...)
  assert.is_true(ok, text)
  return text
end

-- Every file below a folder, with its permissions; folders end with a slash.
local function files(folder, found, prefix)
  found, prefix = found or {}, prefix or ""
  for name in lfs.dir(folder) do
    local path = folder .. "/" .. name
    if name ~= "." and name ~= ".." then
      local directory = lfs.attributes(path, "mode") == "directory"
      found[prefix .. name .. (directory and "/" or "")] = lfs.attributes(path, "permissions")
      if directory then files(path, found, prefix .. name .. "/") end
    end
  end
  return found
end

-- The names of those that match, without the permissions and the folders.
local function names(found, pattern)
  local out = {}
  for name in pairs(found) do
    if name:find(pattern) and not name:find "/$" then out[#out + 1] = name:match(pattern) end
  end
  table.sort(out)
  return out
end

local read = require "support.read_file"

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
  local file = assert(io.open(tree .. "/program.lua", "w"))
  file:write(PROGRAM)
  file:close()
  local text = succeeds("cd %s && LUA_PATH='%s/share/lua/%s/?.lua' LUA_CPATH='%s/lib/lua/%s/?.so' exec %s program.lua",
    tree, tree, ABI, tree, ABI, LUA)
  os.remove(tree .. "/program.lua")
  assert.equal("ab", text:sub(1, 2))
  if #text > 2 then assert.truthy(text:find(tree, 1, true), text) end
end

local function says_its_version(command)
  local text = succeeds("cd / && exec env -i PATH=$PATH %s --version", command)
  assert.truthy(text:find("ampersand " .. require("ampersand.version").number, 1, true), text)
end

describe("make install", function()
  local tree, installed
  setup(function()
    tree = server.folder_for_programs()
    installed = tree .. "/opt/x"
    succeeds("umask 077 && make -s install install-static DESTDIR='%s/a tree' PREFIX=/opt/x LUA_VERSION=%s && cd %s && exec mv 'a tree/opt' .",
      tree, VERSION, tree)
    assert(lfs.rmdir(tree .. "/a tree"))
  end)
  teardown(function() sh("exec rm -rf %s", tree) end)

  local SHARED = { -- by the installations for all Luas
    "bin/ampersand", "include/ampersand.h", "share/bash-completion/completions/ampersand",
    "share/fish/vendor_completions.d/ampersand.fish", "share/man/man1/ampersand.1", "share/zsh/site-functions/_ampersand",
  }

  it("puts everything below DESTDIR and PREFIX, for every user to read", function()
    local found = files(tree)
    local lua = "^opt/x/share/lua/" .. ABI:gsub("%.", "%%.") .. "/(.*%.lua)$"
    assert.same(names(files "lua", ".*%.lua$"), names(found, lua))
    local others = {}
    for name, permissions in pairs(found) do
      local mode = (name:find "/$" or name:find "/bin/" or name:find "%.so$") and "rwxr-xr-x" or "rw-r--r--"
      if name ~= "opt/" and name ~= "opt/x/" then assert.equal(mode, permissions, name) end
      if not name:find(lua) and not name:find "/$" then others[#others + 1] = name:gsub("^opt/x/", "") end
    end
    local expected = { "lib/libampersand-" .. NAME .. ".a", "lib/pkgconfig/ampersand-" .. NAME .. ".pc" }
    for _, name in ipairs(SHARED) do expected[#expected + 1] = name end
    for _, name in ipairs { "core", "crypto", "http" } do
      expected[#expected + 1] = ("lib/lua/%s/ampersand/%s.so"):format(ABI, name)
    end
    table.sort(others)
    table.sort(expected)
    assert.same(expected, others)
    works_from(installed)
  end)

  it("writes the manual page and the completions, each into its own file", function()
    for i, beginning in ipairs { "_ampersand%(%)", "function __ampersand", "%.TH AMPERSAND 1", "#compdef" } do
      assert.matches("^" .. beginning, read(installed .. "/" .. SHARED[i + 2]))
    end
  end)

  it("leaves what another Lua's installation needs, the command included, when one is uninstalled", function()
    local copy = tree .. "/a copy"
    local other = copy .. "/share/lua/9.9" -- as an installation for another Lua, and its static library, leave them
    local uninstall = ("make -s uninstall PREFIX='%s' LUA_VERSION=%s"):format(copy, VERSION)
    succeeds("cp -R %s '%s' && mkdir '%s' && touch '%s/ampersand.lua' '%s/lib/libampersand-lua9.9.a' && %s", installed, copy, other,
      other, copy, uninstall)
    local left = names(files(copy), ".*")
    assert.equal("share/lua/9.9/ampersand.lua", table.remove(left, 6))
    assert.equal("lib/libampersand-lua9.9.a", table.remove(left, 3))
    assert.same(SHARED, left)
    succeeds("rm -r '%s' '%s/lib/libampersand-lua9.9.a' && exec %s", other, copy, uninstall)
    assert.same({}, names(files(copy), ".*"))
  end)

  it("gives the command to the Lua that is left", function()
    if not THOROUGH then return end
    if not machine.has "lua5.3" then pending(machine.absent("Lua 5.3", "apt-get install lua5.3 liblua5.3-dev")) end
    succeeds("sed -i '1s,.*,#!/usr/bin/env lua5.3,' %s/bin/ampersand && exec make -s uninstall PREFIX=%s LUA_VERSION=5.3",
      installed, installed)
    says_its_version(installed .. "/bin/ampersand")
  end)

  if THOROUGH then it("prints what to install where there is no compiler, and fails", function()
    local ok, text = sh("mkdir %s/bin && for name in make pkg-config %s; do ln -s \"$(command -v $name)\" %s/bin; done\n"
      .. "PATH=%s/bin make -s install PREFIX=%s/p LUA_VERSION=%s", tree, LUA, tree, tree, tree, VERSION)
    assert.is_false(ok, text)
    assert.truthy(text:find("Debian:   apt-get install -y --no-install-recommends gcc libc6-dev\n", 1, true), text)
    assert.is_nil(lfs.attributes(tree .. "/p"))
  end) end
end)

local RELEASE
for name in lfs.dir "." do RELEASE = name:match "^ampersand%-%d.*%.rockspec$" or RELEASE end

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
    assert.same(names(files("lua", nil, "lua/"), ".*%.lua$"), listed)
    local there = files("src", nil, "src/")
    there["src/lua_preload.c"] = nil -- is for the static library
    assert.same(names(there, ".*%.c$"), sources)
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
  local tree, root
  local name = RELEASE:gsub("%-1%.rockspec$", "")
  local archive = ("build/%s.tar.gz"):format(name)

  setup(function()
    tree = server.folder_for_programs()
    root = tree .. "/" .. name
    succeeds("make -s dist && exec tar -xzf %s -C %s", archive, tree)
    if not THOROUGH then return end
    assert.same({}, names(files(root), ".*%.s?o$"))
    assert.is_nil(lfs.attributes(root .. "/build"))
    -- What is done with the archive is not to compile what `make specs` has compiled here; luarocks compiles it.
    if os.getenv("LUA_CPATH"):find "^build/5%.4/%?" then succeeds("mkdir %s/build && exec cp -a build/5.4 %s/build", root, root) end
  end)
  teardown(function() sh("exec rm -rf %s", tree) end)

  -- Debian's luarocks starts 19 programs to find a Lua to run it. (The README's blocks run it as it is.)
  local LUAROCKS = machine.has "unzip" and (machine.has "luarocks-5.1" and "luarocks-5.1" or machine.has "luarocks" and "luarocks")
  local function need_luarocks()
    if not LUAROCKS then pending(machine.absent("luarocks", "apt-get install luarocks zip unzip")) end
  end
  local function luarocks(folder, words) return succeeds("cd %s && exec %s --lua-version %s %s", folder, LUAROCKS, ABI, words) end

  local function rock_works(rocks, printed)
    assert.is_nil(printed:find("warning: ", 1, true), printed)
    works_from(rocks)
    says_its_version(rocks .. "/bin/ampersand")
  end

  if not THOROUGH then
    it("is what luarocks makes a working tree of", function()
      need_luarocks()
      rock_works(tree .. "/rocks", luarocks(root, ("--tree %s/rocks make --deps-mode none %s%s%s"):format(tree, RELEASE,
        VERSION == "jit" and " LUA_INCDIR=/usr/include/luajit-2.1" or "", QUICKLY)))
    end)
    return
  end

  local again -- made once
  local function make_again()
    again = again or { sh("cd %s && chmod -R go-rx . && touch Makefile && umask 077 && make -s %s LUAROCKS=%s LUA_VERSION=%s", root,
      LUAROCKS and "rock" or "dist", LUAROCKS, VERSION) }
    assert.is_true(again[1], again[2])
  end

  it("makes itself again, byte for byte", function()
    make_again()
    assert.is_true(read(archive) == read(root .. "/" .. archive))
  end)

  it("runs the demonstration", function()
    local text = succeeds("exec make -s -C %s demo", root)
    assert.truthy(text:find("25 installations: 2 unhealthy, 23 healthy", 1, true), text)
  end)

  it("is tested by luarocks with the given Lua", function()
    need_luarocks()
    local text = luarocks(root, "test " .. RELEASE .. " spec/client/options_spec.lua")
    assert.truthy(text:find("build/" .. ABI, 1, true), text)
    assert.truthy(text:find "[1-9]%d* success", text)
  end)

  -- That luarocks makes it of a working tree, too, is in the README, whose blocks run.
  it("becomes a source rock, which installs elsewhere", function()
    need_luarocks()
    make_again()
    local folder = tree .. "/elsewhere"
    local text = succeeds("mkdir %s && mv %s/build/*.src.rock %s && exec unzip -l %s/*.src.rock", folder, root, folder, folder)
    assert.truthy(text:find(name .. ".tar.gz", 1, true), text)
    rock_works(tree .. "/again", luarocks(folder, ("--tree %s/again install --deps-mode none *.src.rock%s"):format(tree, QUICKLY)))
  end)
end)
