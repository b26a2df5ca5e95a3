/** Kills the parts of the demo when the demo itself is gone without having ended them. */
const pids = new Set<number>();

process.on('message', (pid: number) => pids.add(pid));
process.on('disconnect', () => {
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch (error) {
      // It has ended already, which is how it should be.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
});
