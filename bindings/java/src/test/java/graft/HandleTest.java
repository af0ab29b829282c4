package graft;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** The one place where native memory is released. */
class HandleTest {
  private final AtomicInteger freed = new AtomicInteger();

  private static Handle handle(Object owner, AtomicInteger freed) {
    return new Handle(owner, "thing", 42, pointer -> freed.incrementAndGet());
  }

  @Test
  void closedOnceWhenNobodyIsInside() {
    Handle handle = handle(this, freed);
    assertEquals(42, handle.enter());
    handle.close();
    handle.close();
    assertTrue(handle.isClosed());
    assertEquals(0, freed.get());
    assertEquals("the thing is closed", assertThrows(IllegalStateException.class, handle::enter).getMessage());
    handle.leave();
    assertEquals(1, freed.get());
  }

  @Test
  void whatACallThrowsLeaves() {
    Handle handle = handle(this, freed);
    assertThrows(ArithmeticException.class, () -> handle.number(p -> {
      throw new ArithmeticException("thrown by the test");
    }));
    assertFalse(handle.isUsed());
    handle.close();
    assertEquals(1, freed.get());
  }

  @Test
  void collectedOwnersRelease() throws Exception {
    handle(new Object(), freed);
    assertTrue(Model.collectUntil(() -> freed.get() == 1));
  }

  @Test
  void heldForAnotherObject() throws Exception {
    Handle handle = handle(this, freed);
    Object[] other = {new Object()};
    handle.keepFor(other[0]);
    handle.close();
    System.gc();
    Thread.sleep(50);
    assertEquals(0, freed.get());
    other[0] = null;
    assertTrue(Model.collectUntil(() -> freed.get() == 1));
  }

  @Test
  void neverFreedUnderACall() throws Exception {
    for (int round = 0; round < 500; ++round) {
      AtomicInteger inside = new AtomicInteger();
      AtomicBoolean wrong = new AtomicBoolean();
      AtomicInteger released = new AtomicInteger();
      Handle handle = new Handle(this, "thing", 1, pointer -> {
        released.incrementAndGet();
        if (inside.get() != 0) wrong.set(true);
      });
      Thread[] threads = new Thread[3];
      for (int i = 0; i < threads.length; ++i) {
        threads[i] = new Thread(() -> {
          try {
            while (true) {
              handle.enter();
              inside.incrementAndGet();
              if (released.get() != 0) wrong.set(true);
              inside.decrementAndGet();
              handle.leave();
            }
          } catch (IllegalStateException closed) {
            // the end
          }
        });
        threads[i].start();
      }
      handle.close();
      for (Thread thread : threads) thread.join();
      assertFalse(wrong.get(), "freed under a call");
      assertEquals(1, released.get());
    }
  }
}
