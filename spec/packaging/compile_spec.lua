-- What the C sources ask of a compiler and of a Lua, and say when they do not get it.

local server = require "support.server"

local VERSION = os.getenv "LUA_VERSION" or "5.4"
local PACKAGE = VERSION == "jit" and "luajit" or "lua" .. VERSION
local CC = os.getenv "CC" or "cc"

local function output(command)
  local pipe = assert(io.popen("( unset LD_PRELOAD\n" .. command .. "\n) 2>&1; echo :$?"))
  local text, code = pipe:read("*a"):match "^(.*):(%d+)\n$"
  pipe:close()
  return text, tonumber(code)
end

-- Several C files as one, so that a compiler reads the system's headers once.
local ONE = [[one() { $LUA src/amalgamate.lua /dev/null "$@" | grep -v "#pragma GCC visibility"; }
]]

-- Each module without the extensions of GNU C. The system's headers need them, so they are read before.
local PLAIN = [[
  set -e
  system=$(grep -h "#include <" src/*.[ch] | grep -v "neon\|mmintrin\|epoll\|timerfd" | sort -u)
  flags="-std=c99 -Wall -Wextra -Werror -D_GNU_SOURCE -DAMP_NO_SIMD -DAMP_NO_EPOLL" include=$PWD/include
  flags="$flags $(pkg-config --cflags $PACKAGE libcurl zlib libcrypto)"
  mkdir -p "$D/ampersand"
  module() { # NAME LIBRARIES FILES
    name=$1 libraries=$2
    shift 2
    { printf "%s\n" "$system" "#undef __GNUC__"; one src/memory.c "$@"; } >"$D/$name.c"
    (cd "$D" && $CC $flags -I"$include" -fPIC -c "$name.c" && $CC -shared -Wl,-z,defs,--allow-shlib-undefined -o "ampersand/$name.so" "$name.o" \
      $(pkg-config --libs $PACKAGE $libraries) -lm -ldl -lpthread)
  }
  module core "" src/json_*.c src/rfc3339.c $(ls src/lua_*.c | grep -v "http\|crypto\|preload")
  module http "libcurl zlib" src/http_*.c src/lua_http.c
  module crypto libcrypto src/lua_crypto.c
  LUA_CPATH="$D/?.so" $LUA -e 'assert(require "ampersand.core".decode "[1.5, 1e300]"[2] == 1e300)
    assert(require "ampersand.http".versions().libcurl and require "ampersand.crypto")'
]]

-- What the C files that use no Lua keep between calls: nothing.
local STATE = [[
  one src/json_number.c src/json_plan.c src/json_scan.c src/json_split.c src/json_stream.c src/rfc3339.c >"$D/state.c"
  cd "$D" && $CC -std=c99 -O2 -fno-pie -fno-pic -c state.c && exec nm state.o
]]

describe("the C sources", function()
  local directory, configuration
  setup(function()
    directory = server.folder_for_programs()
    -- one of the folders has the headers of this Lua
    output(([[for folder in $(pkg-config --cflags-only-I %s) -I$(pkg-config --variable=includedir %s); do
        [ -e ${folder#-I}/luaconf.h ] && exec cp ${folder#-I}/lua*.h ${folder#-I}/lauxlib.h %s
      done]]):format(PACKAGE, PACKAGE, directory))
    local file = assert(io.open(directory .. "/luaconf.h"))
    configuration = file:read "*a"
    file:close()
  end)
  teardown(function() os.execute("exec rm -rf " .. directory) end)

  -- Compiles against a copy of this Lua's headers with one line of its configuration changed. A compiler cache has nothing of
  -- what does not compile.
  local function compile(from, to)
    local file = assert(io.open(directory .. "/luaconf.h", "w"))
    file:write((configuration:gsub(from, to)))
    file:close()
    local text, code = output(("CCACHE_DISABLE=1 exec %s -std=c99 -fsyntax-only -I%s -Iinclude src/lua_plan.c"):format(CC,
      directory))
    return code, text
  end

  it("take the Lua as it is", function()
    local code, text = compile("nothing like this", "")
    assert.equal(0, code, text)
  end)

  if VERSION == "5.3" or VERSION == "5.4" then
    it("refuse a Lua of 32-bit integers", function()
      local from = VERSION == "5.3" and "/%* #define LUA_32BITS %*/" or "#define LUA_32BITS[^\n]*"
      local code, text = compile(from, "#define LUA_32BITS 1")
      assert.not_equal(0, code)
      assert.matches("needs a Lua whose integers have 64 bits", text)
    end)

    it("refuse a Lua of short floats", function()
      local code, text = compile("#define LUA_FLOAT_TYPE[^\n]*LUA_FLOAT_D[^\n]*", "#define LUA_FLOAT_TYPE LUA_FLOAT_FLOAT")
      assert.not_equal(0, code)
      assert.matches("needs a Lua whose floats are doubles", text)
    end)
  else
    it("refuse a Lua of short numbers", function()
      local code, text = compile("#define LUA_NUMBER[^\n]*double", "#define LUA_NUMBER float")
      assert.not_equal(0, code)
      assert.matches("needs_a_lua_whose_numbers_are_doubles", text)
    end)
  end

  local function run(script)
    return output(("D='%s' PACKAGE=%s CC='%s' LUA=%s\n"):format(directory, PACKAGE, CC, os.getenv "LUA" or "lua5.4") .. ONE .. script)
  end

  it("compile, link and run without the extensions of GNU C", function()
    local text, code = run(PLAIN)
    assert.equal(0, code, text)
  end)

  if VERSION ~= "5.4" then return end -- none of them uses Lua
  it("keep no state that threads could share", function()
    local text, code = run(STATE)
    assert.equal(0, code, text)
    assert.matches("amp_split_find", text)
    assert.not_matches(" [bBcCdD] ", text)
  end)
end)
