import { Controller, Get, Module, Param } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { fail } from './fail.mjs';

/** Decorators without a compiler. */
function decorate(prototype, method, path, ...parameters) {
  Get(path)(prototype, method, Object.getOwnPropertyDescriptor(prototype, method));
  for (const [index, name] of parameters.entries()) Param(name)(prototype, method, index);
}

class UsersController {
  user(id) {
    return { id };
  }
  fail() {
    fail.throw();
  }
  item(tenant, item) {
    return { tenant, item };
  }
  async failLater() {
    fail.throw();
  }
}
decorate(UsersController.prototype, 'user', 'users/:id', 'id');
decorate(UsersController.prototype, 'fail', 'fail');
decorate(UsersController.prototype, 'item', 'tenants/:tenant/items/:item', 'tenant', 'item');
decorate(UsersController.prototype, 'failLater', 'tenants/:tenant/fail');
Controller()(UsersController);

class AppModule {
  /** Has no middleware. */
  configure() {}
}
Module({ controllers: [UsersController] })(AppModule);

export async function serve() {
  const app = await NestFactory.create(AppModule, { logger: false });
  return await app.listen(0, '127.0.0.1');
}
