import {
  events,
  lines,
  type Row,
  show,
  unknownWhenEmpty,
  unknownWithoutPack,
  unusedWhenEmpty,
} from '../../../dashboards/model/panel.ts';
import { step } from '../../../dashboards/model/variables.ts';
import { max, sum } from '../../../dashboards/promql/aggregate.ts';
import { increase, latest, rate } from './promql.ts';

const notPolled = unknownWithoutPack('postgres_health', 'pg_read_all_stats');
const noArchive = unusedWhenEmpty('archive_mode is off');

export const storage: Row = {
  title: 'Write-ahead log, checkpoints, files',
  panels: [
    lines({
      title: 'Write-ahead log',
      description: 'Bytes of changes per second. Standbys receive, and archives store, as much.',
      queries: [show(sum(rate('database_wal_bytes_total', step), ['instance']), ({ instance }) => instance)],
      min: 0,
      empty: notPolled,
      width: 6,
      height: 7,
    }),
    lines({
      title: 'Files of the write-ahead log',
      description: 'Their size on disk. It grows beyond max_wal_size while a slot or a failing archive keeps them.',
      queries: [show(max(latest('database_wal_files_size_bytes'), ['instance']), ({ instance }) => instance)],
      min: 0,
      empty: unusedWhenEmpty('the role may not call pg_ls_waldir()'),
      width: 6,
      height: 7,
    }),
    events({
      title: 'Checkpoints',
      description:
        'Checkpoints by cause. Many requests mean that max_wal_size is too small: each checkpoint writes whole pages again.',
      queries: [show(sum(increase('database_checkpoints_total', step), ['cause']), ({ cause }) => cause)],
      tones: { time: 'good', request: 'warning' },
      empty: notPolled,
      width: 6,
      height: 7,
    }),
    lines({
      title: 'Time of checkpoints',
      description: 'Time that checkpoints took within each step. A long sync means that the disk cannot keep up.',
      queries: [show(sum(increase('database_checkpoint_time_seconds_total', step), ['phase']), ({ phase }) => phase)],
      min: 0,
      empty: notPolled,
      width: 6,
      height: 7,
    }),
    lines({
      title: 'Pages written',
      description:
        'Changed pages per second, by process. Since PostgreSQL 17 the writes of sessions are on the next panel.',
      queries: [show(sum(rate('database_pages_written_total', step), ['writer']), ({ writer }) => writer)],
      min: 0,
      empty: notPolled,
      width: 6,
      height: 7,
    }),
    lines({
      title: 'Bytes read and written',
      description:
        'Bytes per second that processes of the server read from files and wrote to them, since PostgreSQL 16.',
      queries: [
        show(
          sum(rate('database_io_bytes_total', step), ['backend', 'operation']),
          ({ backend, operation }) => `${backend} ${operation}`,
        ),
      ],
      min: 0,
      empty: unknownWhenEmpty('the server is older than PostgreSQL 16'),
      width: 9,
      height: 7,
    }),
    lines({
      title: 'Time of reads and writes',
      description:
        'Share of the time that the processes of each kind spend on files, added over them: at 1, one process waits for the disk all the time. PostgreSQL measures it while track_io_timing is on.',
      queries: [show(sum(rate('database_io_time_seconds_total', step), ['backend']), ({ backend }) => backend)],
      min: 0,
      empty: unusedWhenEmpty('track_io_timing is off, or the server is older than PostgreSQL 16'),
      width: 9,
      height: 7,
    }),
    events({
      title: 'Archived files',
      description: 'Files of the write-ahead log that were archived, and attempts that failed.',
      queries: [show(sum(increase('database_wal_archived_total', step), ['outcome']), ({ outcome }) => outcome)],
      tones: { archived: 'good', failed: 'bad' },
      empty: noArchive,
      width: 12,
      height: 7,
    }),
    lines({
      title: 'Archiving fails',
      description: '1 while the last attempt to archive a file has failed: the log stays on the disk.',
      queries: [show(max(latest('database_wal_archive_failing'), ['instance']), ({ instance }) => instance)],
      min: 0,
      max: 1,
      empty: noArchive,
      width: 12,
      height: 7,
    }),
  ],
};
