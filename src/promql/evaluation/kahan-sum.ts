/** A sum that keeps what the additions lose, in the order of operations of Prometheus. */
export class KahanSum {
  #sum = 0;
  #lost = 0;

  add(value: number): void {
    const total = this.#sum + value;
    if (Math.abs(this.#sum) >= Math.abs(value)) this.#lost += this.#sum - total + value;
    else this.#lost += value - total + this.#sum;
    this.#sum = total;
  }

  /** Without what was lost. */
  get raw(): number {
    return this.#sum;
  }

  get total(): number {
    return this.#sum + this.#lost;
  }
}
