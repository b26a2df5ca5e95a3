/** Observes the process that imports it as the preload does, from the sources. */
import { observe } from '../../../src/sdk/service-observer.ts';

observe(process.env);
