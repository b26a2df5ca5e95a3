/** The pictures in `docs/images/all`: every dashboard in every situation, in every look. */
import { dashboards } from './panel-data.ts';

/** The data behind a picture. */
export const SITUATIONS = ['thirty-days', 'fresh', 'one-shot'] as const;
export type Situation = (typeof SITUATIONS)[number];

export const LOOKS = {
  light: { colorScheme: 'light', viewport: { width: 1200, height: 1560 } },
  dark: { colorScheme: 'dark', viewport: { width: 1200, height: 900 } },
  phone: { colorScheme: 'light', viewport: { width: 390, height: 1400 } },
} as const;
export type Look = keyof typeof LOOKS;

export interface AnyPicture {
  readonly situation: Situation;
  readonly uid: string;
  readonly look: Look;
  /** The file without its extension. */
  readonly name: string;
}

export const allPictures: readonly AnyPicture[] = SITUATIONS.flatMap((situation) =>
  dashboards.flatMap(({ uid }) =>
    (Object.keys(LOOKS) as Look[]).map((look) => {
      return { situation, uid, look, name: `${situation}-${uid.replace('siphon-', '')}-${look}` };
    }),
  ),
);
