import { describe, expect, it } from 'vitest';
import { parseStackTrace } from './stack-trace.ts';

/** `type: message [function@filename:line, …]`, the frames outermost first, a star before those of the service. */
function read(text: string): string[] {
  return parseStackTrace(text).map(({ type, message, frames }) => {
    const calls = frames.map((frame) => {
      const [name, place] = [[frame['module'], frame['function']], [frame['filename'], frame['lineno']]].map((parts) => parts.filter((part) => part !== undefined).map(String)); // prettier-ignore
      return `${frame['in_app'] === true ? '*' : ''}${name!.join('|')}@${place!.join(':')}`;
    });
    return `${type}: ${message} [${calls.join(', ')}]`;
  });
}

describe('parseStackTrace', () => {
  it('reads V8, with causes and their own frames', () => {
    const text = `Error: outer
    at price (/app/price.js:3:4)
    at async Outer.run (file:///app/node_modules/b/c.js:3:4)
    at node:internal/x:5:6 {
  [cause]: TypeError [ERR_X]: inner
      at parse (/app/parse.js:7:8)
      ... 2 lines matching cause stack trace ...
      at node:internal/x:5:6
}`;
    expect(read(text)).toEqual([
      'Error: outer [<anonymous>@node:internal/x:5, Outer.run@/app/node_modules/b/c.js:3, *price@/app/price.js:3]',
      'TypeError: inner [<anonymous>@node:internal/x:5, *parse@/app/parse.js:7]',
    ]);
  });

  it('reads Java', () => {
    const text = `java.lang.IllegalStateException: cart
\tat com.shop.Cart.total(Cart.java:12)
\tat java.base/java.lang.Thread.run(Thread.java:840)
\tSuppressed: java.io.IOException: close
\t\tat com.shop.Other.close(Other.java:1)
Caused by: java.sql.SQLException: no
\tat com.shop.Db$1.query(Native Method)
\t... 2 more`;
    expect(read(text)).toEqual([
      'java.lang.IllegalStateException: cart [java.lang.Thread|run@Thread.java:840, *com.shop.Cart|total@Cart.java:12]',
      'java.sql.SQLException: no [*com.shop.Db$1|query@]',
    ]);
  });

  it('reads Python, where the cause comes first', () => {
    const text = `Traceback (most recent call last):
  File "/app/db.py", line 4, in query
    run()
KeyError: 'a'

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "/app/main.py", line 9, in <module>
    load()
  File "/usr/lib/python3.12/site-packages/x/y.py", line 2, in load
    raise ValueError("b") from e
ValueError: b`;
    expect(read(text)).toEqual([
      'ValueError: b [*<module>@/app/main.py:9, load@/usr/lib/python3.12/site-packages/x/y.py:2]',
      "KeyError: 'a' [*query@/app/db.py:4]",
    ]);
    expect(parseStackTrace(text)[1]!.frames[0]).toMatchObject({ context_line: 'run()' });
  });

  it('reads Go', () => {
    const text = `goroutine 1 [running]:
github.com/shop/cart.(*Cart).Total(0xc0001, 0x2)
\t/app/cart/cart.go:12 +0x1d
net/http.HandlerFunc.ServeHTTP(...)
\t/usr/local/go/src/net/http/server.go:2136
created by main.main in goroutine 1
\t/app/main.go:5 +0x2f`;
    expect(read(text)).toEqual([
      'undefined:  [*main|main in goroutine 1@/app/main.go:5, net/http|HandlerFunc.ServeHTTP@/usr/local/go/src/net/http/server.go:2136, *github.com/shop/cart|(*Cart).Total@/app/cart/cart.go:12]',
    ]);
  });

  it('reads .NET, with the inner exception in the middle', () => {
    const text = `System.InvalidOperationException: outer
 ---> System.ArgumentException: inner
   at Shop.Db.Query(String sql) in C:\\src\\Db.cs:line 5
   --- End of inner exception stack trace ---
   at Shop.Cart.Total(Int32 n) in /src/Cart.cs:line 9
   at System.Threading.Tasks.Task.Run()`;
    expect(read(text)).toEqual([
      'System.InvalidOperationException: outer [System.Threading.Tasks.Task|Run@, *Shop.Cart|Total@/src/Cart.cs:9]',
      'System.ArgumentException: inner [*Shop.Db|Query@C:\\src\\Db.cs:5]',
    ]);
  });

  it('reads Firefox', () => {
    expect(read('run@https://shop.test/app.js:1:2\n@https://shop.test/app.js:3:4')).toEqual([
      'undefined:  [*<anonymous>@https://shop.test/app.js:3, *run@https://shop.test/app.js:1]',
    ]);
  });

  it.each(['', 'no stack at all', 'at', '\n\n'])('finds no frames in %j', (text) => {
    expect(parseStackTrace(text).flatMap(({ frames }) => frames)).toEqual([]);
  });

  it.each([
    '    at a (b:1:2)\n',
    '[cause]: Error: x\n',
    'at ',
    'at a(',
    'Caused by: ',
    ' ---> x\n',
    '  File "a", line 1\n',
    '\ta.go:1\n',
    'f@',
    '(((',
    '.',
  ])('takes little time for many %j', (part) => {
    const begun = performance.now();
    parseStackTrace(part.repeat(100_000));
    expect(performance.now() - begun).toBeLessThan(2000);
  });

  it('bounds exceptions and frames', () => {
    const exceptions = parseStackTrace(
      `Error: a\n${'[cause]: Error: b\n'.repeat(100)}${'  at f (/a.js:1:2)\n'.repeat(1000)}`,
    );
    expect(exceptions).toHaveLength(10);
    expect(parseStackTrace('  at f (/a.js:1:2)\n'.repeat(1000))[0]!.frames).toHaveLength(250);
  });
});
